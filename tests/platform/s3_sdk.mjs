// What a program with @aws-sdk/client-s3 does, with that library's defaults. Ends with "done", or with the first difference.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import {
  CopyObjectCommand, CreateBucketCommand, DeleteBucketCommand, DeleteObjectCommand, DeleteObjectsCommand, GetObjectCommand,
  HeadObjectCommand, ListBucketsCommand, NoSuchKey, paginateListObjectsV2, PutObjectCommand, S3Client, waitUntilObjectExists,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";

const Bucket = process.env.S3_BUCKET;
const client = new S3Client({
  endpoint: process.env.S3_ENDPOINT, region: process.env.AWS_DEFAULT_REGION, forcePathStyle: true, maxAttempts: 1,
});
const bytes = async (object) => Buffer.from(await (await client.send(new GetObjectCommand({ Bucket, ...object }))).Body.transformToByteArray());
const put = (Key, Body, more) => client.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));

async function objects() {
  const Key = "dir/a b+é&.txt";
  const { ETag } = await put(Key, "words", { Metadata: { m: "1" }, ContentType: "text/x-test" });
  assert.equal(ETag, `"${createHash("md5").update("words").digest("hex")}"`);
  const got = await client.send(new GetObjectCommand({ Bucket, Key }));
  assert.equal(await got.Body.transformToString(), "words");
  assert.deepEqual([got.Metadata, got.ContentType, got.ContentLength], [{ m: "1" }, "text/x-test", 5]);
  assert.equal((await bytes({ Key, Range: "bytes=1-3" })).toString(), "ord");
  await assert.rejects(client.send(new GetObjectCommand({ Bucket, Key: "none" })), NoSuchKey);
  await assert.rejects(put(Key, "other", { IfNoneMatch: "*" }), { name: "PreconditionFailed" });
  await client.send(new CopyObjectCommand({ Bucket, Key: "kept é+&", CopySource: encodeURIComponent(`${Bucket}/${Key}`) }));
  assert.equal((await bytes({ Key: "kept é+&" })).toString(), "words");
  await waitUntilObjectExists({ client, maxWaitTime: 10 }, { Bucket, Key });
  await client.send(new DeleteObjectCommand({ Bucket, Key }));
}

async function streams() {
  // Of a stream the SDK knows no checksum before it is sent: it comes behind the body, which is aws-chunked.
  const body = Buffer.alloc(300_000, "stream ");
  const pieces = Array.from({ length: 3 }, (_, i) => body.subarray(i * 100_000, (i + 1) * 100_000));
  await put("stream", Readable.from(pieces), { ContentLength: body.length });
  assert.ok((await bytes({ Key: "stream" })).equals(body));
  for (const algorithm of ["CRC32", "CRC32C", "SHA1", "SHA256"]) {
    await put("stream", Readable.from(pieces), { ContentLength: body.length, ChecksumAlgorithm: algorithm });
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: "stream", ChecksumMode: "ENABLED" }));
    assert.ok(head[`Checksum${algorithm}`], algorithm);
    assert.equal(head.ContentEncoding ?? "", "");
    assert.ok((await bytes({ Key: "stream", ChecksumMode: "ENABLED" })).equals(body));
  }
}

async function uploads() {
  const body = Buffer.alloc(17 * 1024 * 1024 + 5, "0123456789abcdef-");
  const upload = new Upload({ client, params: { Bucket, Key: "big", Body: Readable.from([body]), ContentType: "text/x-big" }, queueSize: 3 });
  const { ETag } = await upload.done();
  assert.match(ETag, /-4"$/);
  assert.ok((await bytes({ Key: "big" })).equals(body));
  assert.equal((await client.send(new HeadObjectCommand({ Bucket, Key: "big" }))).ContentType, "text/x-big");
  const aborted = new Upload({ client, params: { Bucket, Key: "aborted", Body: Readable.from([body]) } });
  setImmediate(() => aborted.abort());
  await assert.rejects(aborted.done());
  await assert.rejects(client.send(new HeadObjectCommand({ Bucket, Key: "aborted" })), { name: "NotFound" });
}

async function presigned() {
  const at = { Bucket, Key: "by url" };
  const sent = await fetch(await getSignedUrl(client, new PutObjectCommand({ ...at, ContentType: "text/x-url" })), {
    method: "PUT", body: "url", headers: { "Content-Type": "text/x-url" },
  });
  assert.equal(sent.status, 200, await sent.text());
  const got = await fetch(await getSignedUrl(client, new GetObjectCommand(at), { expiresIn: 60 }));
  assert.deepEqual([await got.text(), got.headers.get("content-type")], ["url", "text/x-url"]);
}

async function lists() {
  for (let i = 0; i < 7; i++) await put(`many/${i}`, String(i));
  const found = [];
  for await (const page of paginateListObjectsV2({ client, pageSize: 3 }, { Bucket, Prefix: "many/" })) {
    found.push(...page.Contents.map((object) => object.Key));
  }
  assert.deepEqual(found, Array.from({ length: 7 }, (_, i) => `many/${i}`));
  const Objects = [...found, "stream", "big", "by url"].map((Key) => ({ Key }));
  assert.equal((await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }))).Deleted.length, Objects.length);
}

async function buckets() {
  const other = `${Bucket}-js`;
  await client.send(new CreateBucketCommand({ Bucket: other }));
  assert.ok((await client.send(new ListBucketsCommand({}))).Buckets.some((bucket) => bucket.Name === other));
  await client.send(new DeleteBucketCommand({ Bucket: other }));
}

for (const step of [objects, streams, uploads, presigned, lists, buckets]) {
  console.log(step.name);
  await step();
}
console.log("done");
