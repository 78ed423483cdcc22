//go:build ignore

// Requests as two of Go's S3 clients sign them, minio-go (mc) and aws-sdk-go-v2 (rclone): vectors_go.json.
//
//	go mod init vectors && go get github.com/minio/minio-go/v7 github.com/aws/aws-sdk-go-v2/service/s3 \
//	    github.com/aws/aws-sdk-go-v2/credentials
//	go run make_vectors.go > vectors_go.json
//
// Recorded with minio-go 7.4.1 and service/s3 1.114.10. Nothing is sent. The clock is the real one, so that signatures
// differ from run to run.
package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awscredentials "github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

const (
	accessKey = "AKIAIOSFODNN7EXAMPLE"
	secret    = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	endpoint  = "127.0.0.1:8788"
)

var keys = []string{"plain.txt", "a b", "a+b", "~tilde", "!'()*", "a=b&c,d:e;f@g$h", "ünï/cøde", "100%", "%41", "%2F",
	"a//b", "trailing/", "tab\there", "#frag?x=1", "\\^`{|}", "[x]"}

type vector struct {
	Client    string      `json:"client"`
	Statement string      `json:"statement"`
	Method    string      `json:"method"`
	Path      string      `json:"path"`
	Query     string      `json:"query"`
	Headers   [][2]string `json:"headers"`
	Body      string      `json:"body,omitempty"` // but not a long one that says nothing
}

var vectors []vector

type capture struct {
	client    string
	statement string
}

func (c *capture) add(method string, target *url.URL, host string, header http.Header, body []byte) {
	v := vector{Client: c.client, Statement: c.statement, Method: method, Path: target.EscapedPath(),
		Query: target.RawQuery, Headers: [][2]string{{"Host", host}}, Body: base64.StdEncoding.EncodeToString(body)}
	if len(body) > 100 && !strings.HasPrefix(header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
		v.Body = ""
	}
	for name, values := range header {
		for _, value := range values {
			v.Headers = append(v.Headers, [2]string{name, value})
		}
	}
	vectors = append(vectors, v)
}

// RoundTrip writes the request as Go's transport would, and reads it back.
func (c *capture) RoundTrip(request *http.Request) (*http.Response, error) {
	var body []byte
	if request.Body != nil {
		body, _ = io.ReadAll(request.Body)
		request.Body.Close()
	}
	host := request.Host
	if host == "" {
		host = request.URL.Host
	}
	header := request.Header.Clone()
	if request.ContentLength > 0 {
		header.Set("Content-Length", fmt.Sprint(request.ContentLength))
	}
	c.add(request.Method, request.URL, host, header, body)
	return nil, errors.New("nothing is sent")
}

func (c *capture) presigned(method string, target *url.URL, err error) {
	if err != nil {
		panic(err)
	}
	c.add(method, target, target.Host, http.Header{}, nil)
}

func minioVectors(ctx context.Context) {
	seen := &capture{client: "minio-go"}
	open := func(secure, trailing bool) *minio.Client {
		client, err := minio.New(endpoint, &minio.Options{Creds: credentials.NewStaticV4(accessKey, secret, ""),
			Transport: seen, Region: "us-east-1", Secure: secure, TrailingHeaders: trailing, MaxRetries: 1})
		if err != nil {
			panic(err)
		}
		return client
	}
	plain := open(false, false)
	disposition := url.Values{"response-content-disposition": {"attachment; filename=\"a b+c.txt\""}}
	for _, key := range keys {
		seen.statement = fmt.Sprintf("StatObject(%q)", key)
		plain.StatObject(ctx, "bucket", key, minio.StatObjectOptions{})
		seen.statement = fmt.Sprintf("PresignedGetObject(%q, %v)", key, disposition)
		target, err := plain.PresignedGetObject(ctx, "bucket", key, 10*time.Minute, disposition)
		seen.presigned("GET", target, err)
	}
	seen.statement = "ListObjects(prefix \"a b+c/~\")"
	for range plain.ListObjects(ctx, "bucket", minio.ListObjectsOptions{Prefix: "a b+c/~"}) {
	}
	for _, client := range []struct {
		name             string
		secure, trailing bool
	}{{"http", false, false}, {"http, trailing headers", false, true}, {"https", true, false}, {"https, trailing headers", true, true}} {
		for _, size := range []int{0, 5, 66000} {
			seen.statement = fmt.Sprintf("PutObject(%d bytes) by %s", size, client.name)
			options := minio.PutObjectOptions{ContentType: "text/plain", UserMetadata: map[string]string{"Words": "two  blanks"}}
			if client.trailing {
				options.Checksum = minio.ChecksumCRC32C
			}
			open(client.secure, client.trailing).PutObject(ctx, "bucket", "a b", strings.NewReader(strings.Repeat("a", size)),
				int64(size), options)
		}
	}
}

func sdkVectors(ctx context.Context) {
	seen := &capture{client: "aws-sdk-go-v2"}
	open := func(scheme string) *s3.Client {
		return s3.New(s3.Options{Region: "auto", BaseEndpoint: aws.String(scheme + "://" + endpoint), UsePathStyle: true,
			Credentials: awscredentials.NewStaticCredentialsProvider(accessKey, secret, ""),
			HTTPClient:  &http.Client{Transport: seen}, RetryMaxAttempts: 1})
	}
	plain := open("http")
	for _, key := range keys {
		seen.statement = fmt.Sprintf("GetObject(%q)", key)
		plain.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("bucket"), Key: aws.String(key)})
		seen.statement = fmt.Sprintf("PresignGetObject(%q)", key)
		signed, err := s3.NewPresignClient(plain).PresignGetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("bucket"),
			Key: aws.String(key), ResponseContentDisposition: aws.String("attachment; filename=\"a b+c.txt\"")})
		if err != nil {
			panic(err)
		}
		target, err := url.Parse(signed.URL)
		seen.presigned(signed.Method, target, err)
	}
	seen.statement = "ListObjectsV2"
	plain.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String("bucket"), Prefix: aws.String("a b+c/~!'()*"),
		Delimiter: aws.String("/"), ContinuationToken: aws.String("MTIz/+==")})
	for _, scheme := range []string{"http", "https"} {
		for _, size := range []int{0, 5, 66000} {
			seen.statement = fmt.Sprintf("PutObject(%d bytes) by %s", size, scheme)
			open(scheme).PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("bucket"), Key: aws.String("a b"),
				Body: bytes.NewReader(bytes.Repeat([]byte("a"), size)), Metadata: map[string]string{"words": "two  blanks"}})
		}
	}
}

func main() {
	minioVectors(context.Background())
	sdkVectors(context.Background())
	fmt.Println("[")
	for i, v := range vectors {
		text, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		end := ","
		if i == len(vectors)-1 {
			end = ""
		}
		fmt.Println(string(text) + end)
	}
	fmt.Println("]")
}
