// Requests as JavaScript's S3 client (version 3) signs them: vectors_javascript.json.
//
//     npm install @aws-sdk/client-s3 @aws-sdk/s3-request-presigner
//     node make_vectors.mjs > vectors_javascript.json
//
// Recorded with 3.1175.0 and 3.1169.0 on Node 20. Nothing is sent. The clock is the real one, so that signatures differ
// from run to run.
import * as s3 from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { Readable } from "node:stream";

const keys = ["plain.txt", "a b", "a+b", "~tilde", "!'()*", "a=b&c,d:e;f@g$h", "ünï/cøde", "100%", "%41", "%2F", "a//b",
  "a/./b/../c", "/leading", "tab\there", "#frag?x=1", "\\^`{|}", "[x]"];
const vectors = [];
let statement = "";

async function read(body) {
  if (body === undefined || body === null) return Buffer.alloc(0);
  if (typeof body === "string" || body instanceof Uint8Array) return Buffer.from(body);
  const pieces = [];
  for await (const piece of body) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

function query(parameters) {
  const escape = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (c) => "%" + c.charCodeAt(0).toString(16).toUpperCase());
  const pieces = [];
  for (const [name, value] of Object.entries(parameters ?? {})) {
    for (const one of Array.isArray(value) ? value : [value]) {
      pieces.push(one === null || one === undefined || one === "" ? escape(name) : `${escape(name)}=${escape(one)}`);
    }
  }
  return pieces.join("&");
}

const requestHandler = {
  async handle(request) {
    vectors.push({
      client: "aws-sdk-js", statement, method: request.method, path: request.path, query: query(request.query),
      headers: Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
      body: (await read(request.body)).toString("base64"),
    });
    throw Object.assign(new Error("nothing is sent"), { name: "NotSent" });
  },
  updateHttpClientConfig() {}, httpHandlerConfigs() { return {}; },
};

function client(options) {
  return new s3.S3Client({
    region: "auto", forcePathStyle: true, maxAttempts: 1, requestHandler,
    credentials: { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" },
    ...options,
  });
}

async function call(from, Command, input) {
  statement = `${Command.name}(${JSON.stringify(input, (name, value) => (name === "Body" ? "..." : value))})`;
  await from.send(new Command(input)).catch((error) => { if (error.name !== "NotSent") throw error; });
}

async function presign(from, Command, input, method) {
  // By hand: URL would fold the dot segments of a key.
  const url = await getSignedUrl(from, new Command(input), { expiresIn: 600 });
  const [, host, path, query] = /^https?:\/\/([^/]*)([^?]*)\?(.*)$/.exec(url);
  vectors.push({
    client: "aws-sdk-js", statement: `getSignedUrl(${Command.name}, ${JSON.stringify(input)})`, method,
    path, query, headers: [["Host", host]], body: "",
  });
}

const http = client({ endpoint: "http://127.0.0.1:8788" });
for (const Key of keys) {
  await call(http, s3.GetObjectCommand, { Bucket: "bucket", Key });
  await presign(http, s3.GetObjectCommand, { Bucket: "bucket", Key, ResponseContentDisposition: "attachment; filename=\"a b+c.txt\"" }, "GET");
}
await call(http, s3.PutObjectCommand, { Bucket: "bucket", Key: "k", Body: "hello", Metadata: { words: "two  blanks" }, ContentType: "text/plain" });
await call(http, s3.ListObjectsV2Command, { Bucket: "bucket", Prefix: "a b+c/~!'()*", Delimiter: "/", ContinuationToken: "MTIz/+==" });
await call(http, s3.ListBucketsCommand, {});
await call(http, s3.CopyObjectCommand, { Bucket: "bucket", Key: "copy", CopySource: "bucket/a%20b" });
await call(http, s3.DeleteObjectsCommand, { Bucket: "bucket", Delete: { Objects: keys.slice(0, 3).map((Key) => ({ Key })) } });
await call(http, s3.CreateMultipartUploadCommand, { Bucket: "bucket", Key: "big" });
await call(http, s3.UploadPartCommand, { Bucket: "bucket", Key: "big", UploadId: "id/+==", PartNumber: 7, Body: "part" });
await presign(http, s3.PutObjectCommand, { Bucket: "bucket", Key: "k", ContentType: "text/plain" }, "PUT");
const https = client({ endpoint: "https://s3.example.com", forcePathStyle: false });
await call(https, s3.PutObjectCommand, { Bucket: "bucket", Key: "k", Body: "hello".repeat(5000) });
await call(https, s3.PutObjectCommand, { Bucket: "bucket", Key: "k", Body: Readable.from([Buffer.alloc(9000, "a"), Buffer.alloc(9000, "b"), Buffer.alloc(10, "c")]), ContentLength: 18010, ChecksumAlgorithm: "CRC32" });

console.log("[\n" + vectors.map((vector) => JSON.stringify(vector)).join(",\n") + "\n]");
