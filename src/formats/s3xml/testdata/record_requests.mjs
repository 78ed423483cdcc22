// XML bodies as JavaScript's S3 client (version 3) sends them: requests_javascript.json.
//
//     npm install @aws-sdk/client-s3
//     node record_requests.mjs > requests_javascript.json
//
// Recorded with 3.1175.0 on Node 20. Nothing is sent.
import * as s3 from "@aws-sdk/client-s3";

const recorded = [];
let statement = "";
const client = new s3.S3Client({
  region: "auto",
  endpoint: "http://127.0.0.1:1",
  forcePathStyle: true,
  maxAttempts: 1,
  credentials: { accessKeyId: "a", secretAccessKey: "s" },
  requestHandler: {
    async handle(request) {
      recorded.push({ client: "aws-sdk-js", statement, body: Buffer.from(request.body).toString() });
      return { response: { statusCode: 200, headers: {}, body: Buffer.from("") } };
    },
  },
});

async function send(what, command) {
  statement = what;
  try {
    await client.send(command);
  } catch (error) {
    if (recorded.at(-1)?.statement !== what) throw error; // the empty answer may displease it
  }
}

const Bucket = "bucket";
const keys = ["plain.txt", "a b", " lead and trail ", "a&b<c>d\"e'f", "tab\there", "line\nfeed", "carriage\rreturn",
  "ünï/日本/🪣", "&amp;", "]]>", "\u00a0\u0085\u2028"];
const day = new Date("2030-01-01T00:00:00Z");
const ETag = '"d41d8cd98f00b204e9800998ecf8427e"';
await send("delete", new s3.DeleteObjectsCommand({ Bucket, Delete: { Objects: keys.map((Key) => ({ Key })), Quiet: true } }));
await send("delete versions", new s3.DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: "k", VersionId: "v2", ETag, Size: 12,
  LastModifiedTime: new Date("2026-11-29T12:34:56Z") }] } }));
await send("complete", new s3.CompleteMultipartUploadCommand({ Bucket, Key: "k", UploadId: "u", MultipartUpload: { Parts: [
  { PartNumber: 1, ETag }, { PartNumber: 2, ETag, ChecksumCRC32: "AAAAAA==" }] } }));
await send("create bucket", new s3.CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: "eu-west-1" } }));
await send("versioning", new s3.PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Suspended" } }));
await send("cors", new s3.PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules: [
  { AllowedOrigins: ["https://example.com"], AllowedMethods: ["GET", "POST"], AllowedHeaders: ["*"], ExposeHeaders: ["ETag"], MaxAgeSeconds: 0 }] } }));
await send("lifecycle", new s3.PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules: [
  { ID: "days", Status: "Enabled", Filter: { Prefix: "logs/" }, Expiration: { Days: 30 }, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 } },
  { ID: "date", Status: "Disabled", Filter: { And: { Prefix: "p", ObjectSizeGreaterThan: 1 } }, Transitions: [{ Date: day, StorageClass: "GLACIER" }] }] } }));
console.log(JSON.stringify(recorded, null, 1));
