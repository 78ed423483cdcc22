//go:build ignore

// XML bodies as Go's S3 clients send them, minio-go (mc) and aws-sdk-go-v2 (rclone): requests_go.json.
//
//	go mod init requests && go get github.com/minio/minio-go/v7 github.com/aws/aws-sdk-go-v2/service/s3
//	go run record_requests.go > requests_go.json
//
// Recorded with minio-go 7.4.1 and service/s3 1.114.10. Nothing is sent.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/cors"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/lifecycle"
)

type entry struct {
	Client    string `json:"client"`
	Statement string `json:"statement"`
	Body      string `json:"body"`
}

var (
	recorded          []entry
	client, statement string
	keys              = []string{"plain.txt", "a b", " lead and trail ", "a&b<c>d\"e'f", "tab\there", "line\nfeed", "carriage\rreturn",
		"ünï/日本/🪣", "&amp;", "]]>", "\u00a0\u0085\u2028"}
)

type transport struct{}

func (transport) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Body != nil {
		body, _ := io.ReadAll(request.Body)
		if bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")) {
			recorded = append(recorded, entry{client, statement, string(body)})
		}
	}
	answer := ""
	if _, ok := request.URL.Query()["delete"]; ok {
		answer = `<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></DeleteResult>`
	}
	if request.URL.Query().Has("uploadId") {
		answer = `<CompleteMultipartUploadResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Bucket>bucket</Bucket><Key>k</Key><ETag>"e"</ETag></CompleteMultipartUploadResult>`
	}
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/xml"}}, Request: request,
		ContentLength: int64(len(answer)), Body: io.NopCloser(bytes.NewReader([]byte(answer)))}, nil
}

func check(err error) {
	if err != nil {
		panic(statement + ": " + err.Error())
	}
}

func main() {
	background := context.Background()
	bucket, etag := aws.String("bucket"), aws.String("\"d41d8cd98f00b204e9800998ecf8427e\"")
	day := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	client = "aws-sdk-go-v2"
	sdk := s3.New(s3.Options{Region: "auto", BaseEndpoint: aws.String("http://127.0.0.1:1"), UsePathStyle: true,
		HTTPClient: &http.Client{Transport: transport{}},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "a", SecretAccessKey: "s"}, nil
		})})
	var objects []types.ObjectIdentifier
	for i := range keys {
		objects = append(objects, types.ObjectIdentifier{Key: &keys[i]})
	}
	statement = "delete"
	_, err := sdk.DeleteObjects(background, &s3.DeleteObjectsInput{Bucket: bucket, Delete: &types.Delete{Objects: objects, Quiet: aws.Bool(true)}})
	check(err)
	statement = "complete"
	_, err = sdk.CompleteMultipartUpload(background, &s3.CompleteMultipartUploadInput{Bucket: bucket, Key: aws.String("k"),
		UploadId: aws.String("u"), MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{
			{PartNumber: aws.Int32(1), ETag: etag}, {PartNumber: aws.Int32(2), ETag: etag, ChecksumCRC64NVME: aws.String("AAAAAAAAAAA=")}}}})
	check(err)
	statement = "create bucket"
	_, err = sdk.CreateBucket(background, &s3.CreateBucketInput{Bucket: bucket,
		CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: "eu-west-1"}})
	check(err)
	statement = "versioning"
	_, err = sdk.PutBucketVersioning(background, &s3.PutBucketVersioningInput{Bucket: bucket,
		VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled}})
	check(err)
	statement = "lifecycle"
	_, err = sdk.PutBucketLifecycleConfiguration(background, &s3.PutBucketLifecycleConfigurationInput{Bucket: bucket,
		LifecycleConfiguration: &types.BucketLifecycleConfiguration{Rules: []types.LifecycleRule{{ID: aws.String("r"), Status: "Enabled",
			Filter:     &types.LifecycleRuleFilter{Prefix: aws.String("p/")},
			Expiration: &types.LifecycleExpiration{Date: &day}}}}})
	check(err)

	client = "minio-go"
	mc, err := minio.New("127.0.0.1:1", &minio.Options{Creds: credentials.NewStaticV4("a", "s", ""), Region: "auto", Transport: transport{}})
	check(err)
	statement = "delete"
	names := make(chan minio.ObjectInfo, len(keys))
	for _, key := range keys {
		names <- minio.ObjectInfo{Key: key, VersionID: "v"}
	}
	close(names)
	for result := range mc.RemoveObjects(background, "bucket", names, minio.RemoveObjectsOptions{}) {
		check(result.Err)
	}
	statement = "complete"
	_, err = minio.Core{Client: mc}.CompleteMultipartUpload(background, "bucket", "k", "u",
		[]minio.CompletePart{{PartNumber: 1, ETag: "d41d8cd98f00b204e9800998ecf8427e"},
			{PartNumber: 2, ETag: "d41d8cd98f00b204e9800998ecf8427e", ChecksumSHA1: "2jmj7l5rSw0yVb/vlWAYkK/YBwk="}}, minio.PutObjectOptions{})
	check(err)
	statement = "create bucket"
	check(mc.MakeBucket(background, "bucket", minio.MakeBucketOptions{Region: "eu-west-1"}))
	statement = "versioning"
	check(mc.EnableVersioning(background, "bucket"))
	statement = "cors"
	check(mc.SetBucketCors(background, "bucket", cors.NewConfig([]cors.Rule{{ID: "r", AllowedOrigin: []string{"https://*.example.com"},
		AllowedMethod: []string{"GET"}, AllowedHeader: []string{"*"}, ExposeHeader: []string{"ETag"}, MaxAgeSeconds: 600}})))
	statement = "lifecycle"
	configuration := lifecycle.NewConfiguration()
	configuration.Rules = []lifecycle.Rule{
		{ID: "days", Status: "Enabled", RuleFilter: lifecycle.Filter{Prefix: "p/"}, Expiration: lifecycle.Expiration{Days: 7}},
		{ID: "date", Status: "Enabled", RuleFilter: lifecycle.Filter{And: lifecycle.And{Prefix: "q/", ObjectSizeGreaterThan: 5}},
			Expiration: lifecycle.Expiration{Date: lifecycle.ExpirationDate{Time: day}}},
		{ID: "noncurrent", Status: "Disabled", NoncurrentVersionExpiration: lifecycle.NoncurrentVersionExpiration{NoncurrentDays: 2, NewerNoncurrentVersions: 3},
			AbortIncompleteMultipartUpload: lifecycle.AbortIncompleteMultipartUpload{DaysAfterInitiation: 1}}}
	check(mc.SetBucketLifecycle(background, "bucket", configuration))

	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	out.SetIndent("", " ")
	check(out.Encode(recorded))
}
