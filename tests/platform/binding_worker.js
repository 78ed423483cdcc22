// Tests that run as a Worker's own code: POST the name of one.

const tests = new Map();
function test(name, body) {
  tests.set(name, body);
}

function same(got, expected, what = "") {
  const left = JSON.stringify(got), right = JSON.stringify(expected);
  if (left !== right) throw new Error(`${what} expected ${right}, got ${left}`);
}

async function refused(promise, text) {
  try {
    await promise;
  } catch (error) {
    if (!String(error.message).includes(text)) throw new Error(`expected "${text}", got "${error.message}"`);
    return;
  }
  throw new Error(`expected "${text}", and it went through`);
}

const bytesOf = (size) => {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[i] = (i * 7 + (i >> 8)) & 255;
  return bytes;
};
const textOf = async (object) => (object === null ? null : await object.text());

test("d1 values and shapes of rows", async ({ DB }) => {
  await DB.exec("DROP TABLE IF EXISTS v; CREATE TABLE v (a, b)");
  const values = [1, 1.5, "wörds\n", null, new Uint8Array([0, 255]).buffer, 2 ** 52];
  for (const value of values) await DB.prepare("INSERT INTO v VALUES (?, typeof(?1))").bind(value).run();
  same((await DB.prepare("SELECT a, b FROM v").all()).results.map((row) => row.b), ["integer", "real", "text", "null", "blob", "integer"]);
  same(await DB.prepare("SELECT a FROM v").raw(), [[1], [1.5], ["wörds\n"], [null], [[0, 255]], [2 ** 52]]);
  same(await DB.prepare("SELECT a AS x, b FROM v WHERE a = ?").bind(1.5).first(), { x: 1.5, b: "real" });
  same(await DB.prepare("SELECT a AS x FROM v WHERE a = ?").bind(1).first("x"), 1);
  same(await DB.prepare("SELECT a FROM v WHERE a = 7").first(), null);
  same((await DB.prepare("SELECT 1 AS a, 2 AS b").run()).results, [{ a: 1, b: 2 }]);
  same(await DB.prepare("SELECT a, b FROM v LIMIT 1").raw({ columnNames: true }), [["a", "b"], [1, "integer"]]);
  same((await DB.prepare("SELECT ?").bind(true).raw())[0][0], 1);
});

test("d1 meta", async ({ DB }) => {
  await DB.exec("DROP TABLE IF EXISTS m; CREATE TABLE m (id INTEGER PRIMARY KEY, a)");
  const { success, meta } = await DB.prepare("INSERT INTO m (a) VALUES (1), (2)").run();
  same([success, meta.changes, meta.last_row_id, meta.changed_db, meta.rows_written], [true, 2, 2, true, 2]);
  const read = (await DB.prepare("SELECT * FROM m").all()).meta;
  same([read.rows_read, read.changed_db, typeof read.duration, read.size_after > 0], [2, false, "number", true]);
});

test("d1 batches", async ({ DB }) => {
  await DB.exec("DROP TABLE IF EXISTS b; CREATE TABLE b (a UNIQUE)");
  const add = DB.prepare("INSERT INTO b VALUES (?)");
  const results = await DB.batch([add.bind(1), add.bind(2), DB.prepare("SELECT a FROM b")]);
  same(results.map((result) => result.results.length), [0, 0, 2]);
  await refused(DB.batch([add.bind(3), add.bind(1)]), "D1_ERROR: UNIQUE constraint failed: b.a: SQLITE_CONSTRAINT");
  same(await DB.prepare("SELECT count(*) AS n FROM b").first("n"), 2);
});

test("d1 exec", async ({ DB }) => {
  const done = await DB.exec("DROP TABLE IF EXISTS e;\nCREATE TABLE e (a);\nINSERT INTO e VALUES (1);");
  same([done.count, typeof done.duration, Number.isNaN(done.duration)], [3, "number", false]);
  await refused(DB.exec("INSERT INTO e VALUES (2);\nINSERT INTO none VALUES (1);"), "D1_EXEC_ERROR: Error in line 2: INSERT INTO none VALUES (1);: no such table: none");
  same(await DB.prepare("SELECT count(*) AS n FROM e").first("n"), 1);
});

test("d1 refusals", async ({ DB }) => {
  await refused(DB.prepare("SELEC 1").all(), 'near "SELEC": syntax error at offset 0: SQLITE_ERROR');
  await refused(DB.prepare("SELECT ?, ?").bind(1).all(), "Wrong number of parameter bindings");
  await refused(DB.prepare("BEGIN").run(), "not authorized");
  await refused(DB.prepare("-- nothing").all(), "No SQL statements detected");
});

test("d1 sessions", async ({ DB }) => {
  const session = DB.withSession("first-primary");
  await session.prepare("CREATE TABLE IF NOT EXISTS s (a)").run();
  const before = session.getBookmark();
  await session.prepare("INSERT INTO s VALUES (1)").run();
  if (!(before < session.getBookmark())) throw new Error(`${before} and then ${session.getBookmark()}`);
  const next = DB.withSession(session.getBookmark());
  same((await next.prepare("SELECT count(*) AS n FROM s").first("n")) >= 1, true);
  same(next.getBookmark(), session.getBookmark());
});

test("d1 a binding that reads", async ({ DB, READ_DB }) => {
  await DB.exec("DROP TABLE IF EXISTS r; CREATE TABLE r (a)");
  same((await READ_DB.prepare("SELECT a FROM r").all()).results, []);
  await refused(READ_DB.prepare("INSERT INTO r VALUES (1)").run(), "readonly");
  same(await READ_DB.prepare("SELECT count(*) AS n FROM r").first("n"), 0);
});

test("kv values of every form", async ({ KV }) => {
  await KV.put("text", "wörds");
  same(await KV.get("text"), "wörds");
  const bytes = bytesOf(100_000);
  await KV.put("bytes", bytes);
  same(new Uint8Array(await KV.get("bytes", "arrayBuffer")).length, 100_000);
  same((await KV.get("bytes", "arrayBuffer")).byteLength, 100_000);
  await KV.put("json", JSON.stringify({ a: [1, null] }));
  same(await KV.get("json", "json"), { a: [1, null] });
  await KV.put("stream", new Response("streamed").body);
  same(await new Response(await KV.get("stream", "stream")).text(), "streamed");
  await KV.put("empty", "");
  same(await KV.get("empty"), "");
  for (const key of ["a b", "a/b?c#d", "ü+%25&=", "..a", "a".repeat(512)]) {
    await KV.put(key, key);
    same(await KV.get(key), key);
    await KV.delete(key);
    same(await KV.get(key), null);
  }
  same(await KV.get("missing"), null);
});

test("kv metadata and expiry", async ({ KV }) => {
  const expiration = Math.floor(Date.now() / 1000) + 1000;
  await KV.put("m", "v", { metadata: { who: "mé", n: 1 }, expiration });
  const got = await KV.getWithMetadata("m");
  same([got.value, got.metadata], ["v", { who: "mé", n: 1 }]);
  const listed = (await KV.list({ prefix: "m" })).keys.find((key) => key.name === "m");
  same([listed.expiration, listed.metadata], [expiration, { who: "mé", n: 1 }]);
  same((await KV.getWithMetadata("missing")).value, null);
});

test("kv lists", async ({ KV }) => {
  await Promise.all(Array.from({ length: 25 }, (_, i) => KV.put(`list/${String(i).padStart(2, "0")}`, "v")));
  let cursor, names = [], pages = 0;
  do {
    const page = await KV.list({ prefix: "list/", limit: 10, cursor });
    names.push(...page.keys.map((key) => key.name));
    cursor = page.list_complete ? undefined : page.cursor;
    pages++;
  } while (cursor);
  same([names.length, pages, names[0], names[24]], [25, 3, "list/00", "list/24"]);
  same(names, names.toSorted());
});

test("kv bulk get", async ({ KV }) => {
  await KV.put("bulk/1", '{"x":1}', { metadata: { m: 1 } });
  await KV.put("bulk/2", "2");
  same([...(await KV.get(["bulk/1", "none", "bulk/2"]))], [["bulk/1", '{"x":1}'], ["none", null], ["bulk/2", "2"]]);
  same((await KV.get(["bulk/1"], "json")).get("bulk/1"), { x: 1 });
  same((await KV.getWithMetadata(["bulk/1"])).get("bulk/1").metadata, { m: 1 });
});

test("kv refusals", async ({ KV }) => {
  await refused(KV.put("k", "v", { expirationTtl: 30 }), "Invalid expiration_ttl of 30");
  await refused(KV.put("k", "v", { metadata: "x".repeat(1025) }), "1024");
  await refused(KV.put("k", new Uint8Array(26 * 1024 * 1024)), "413");
  await refused(KV.list({ limit: 1001 }), "key_count_limit");
  await refused(KV.get("a".repeat(513)), "414");
});

test("r2 put, head and get", async ({ BUCKET }) => {
  const put = await BUCKET.put("a b/ü+%.txt", "words", {
    httpMetadata: { contentType: "text/x", contentLanguage: "de", cacheControl: "no-store", contentDisposition: "inline",
                    contentEncoding: "identity", cacheExpiry: new Date(4e12) },
    customMetadata: { who: "mé", n: "1" },
  });
  same([put.key, put.size, put.etag, put.httpEtag], ["a b/ü+%.txt", 5, put.etag, `"${put.etag}"`]);
  const head = await BUCKET.head("a b/ü+%.txt");
  same([head.version, head.etag, head.size, head.storageClass], [put.version, put.etag, 5, "Standard"]);
  same(head.customMetadata, { who: "mé", n: "1" });
  same([head.httpMetadata.contentType, head.httpMetadata.cacheExpiry.getTime()], ["text/x", 4e12]);
  if (Math.abs(head.uploaded.getTime() - Date.now()) > 60_000) throw new Error(`uploaded ${head.uploaded}`);
  const got = await BUCKET.get("a b/ü+%.txt");
  same([await got.text(), got.etag, got.customMetadata.n], ["words", put.etag, "1"]);
  await BUCKET.put("empty", null);
  same([(await BUCKET.head("empty")).size, await textOf(await BUCKET.get("empty"))], [0, ""]);
  same([await BUCKET.get("missing"), await BUCKET.head("missing")], [null, null]);
  await BUCKET.put("cold", "v", { storageClass: "InfrequentAccess" });
  same((await BUCKET.head("cold")).storageClass, "InfrequentAccess");
});

test("r2 ranges", async ({ BUCKET }) => {
  await BUCKET.put("digits", "0123456789");
  const part = async (range) => {
    const object = await BUCKET.get("digits", { range });
    return [await object.text(), object.range];
  };
  same(await part({ offset: 2, length: 3 }), ["234", { offset: 2, length: 3 }]);
  same(await part({ offset: 8 }), ["89", { offset: 8, length: 2 }]);
  same(await part({ length: 4 }), ["0123", { offset: 0, length: 4 }]);
  same(await part({ suffix: 3 }), ["789", { offset: 7, length: 3 }]);
  same(await part({ offset: 5, length: 100 }), ["56789", { offset: 5, length: 5 }]);
  same((await part(new Headers({ range: "bytes=1-2" })))[0], "12");
  await refused(BUCKET.get("digits", { range: { offset: 10 } }), "10039");
});

test("r2 conditions", async ({ BUCKET }) => {
  const first = await BUCKET.put("c", "1");
  same(await BUCKET.put("c", "2", { onlyIf: { etagDoesNotMatch: first.etag } }), null);
  same(await BUCKET.put("c", "2", { onlyIf: { etagMatches: "other" } }), null);
  same((await BUCKET.put("c", "2", { onlyIf: { etagMatches: first.etag } })).size, 1);
  const failed = await BUCKET.get("c", { onlyIf: { etagMatches: first.etag } });
  same([failed.key, "body" in failed], ["c", false]);
  same(await textOf(await BUCKET.get("c", { onlyIf: { etagDoesNotMatch: first.etag } })), "2");
  const long_ago = new Date(1e12), later = new Date(4e12);
  same(await textOf(await BUCKET.get("c", { onlyIf: { uploadedAfter: long_ago, uploadedBefore: later } })), "2");
  same("body" in (await BUCKET.get("c", { onlyIf: { uploadedAfter: later } })), false);
  same(await BUCKET.put("absent", "v", { onlyIf: { etagMatches: "*" } }), null);
  same(await BUCKET.put("absent", "v", { onlyIf: new Headers({ "if-match": "*" }) }), null);
  same((await BUCKET.put("absent", "v", { onlyIf: new Headers({ "if-none-match": "*" }) })).size, 1);
  same(await BUCKET.put("absent", "w", { onlyIf: new Headers({ "if-none-match": "*" }) }), null);
});

test("r2 checksums", async ({ BUCKET }) => {
  const hex = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  for (const [name, algorithm] of [["sha1", "SHA-1"], ["sha256", "SHA-256"], ["sha384", "SHA-384"], ["sha512", "SHA-512"]]) {
    const digest = await crypto.subtle.digest(algorithm, new TextEncoder().encode("checked"));
    await BUCKET.put(name, "checked", { [name]: digest });
    same(hex((await BUCKET.head(name)).checksums[name]), hex(digest));
    await refused(BUCKET.put(name, "other", { [name]: digest }), "10037");
  }
  const md5 = await crypto.subtle.digest("MD5", new TextEncoder().encode("checked"));
  same((await BUCKET.put("md5", "checked", { md5 })).etag, hex(md5));
  await refused(BUCKET.put("md5", "other", { md5 }), "10037");
  same(await textOf(await BUCKET.get("md5")), "checked");
});

test("r2 lists", async ({ BUCKET }) => {
  for (const key of ["l/a", "l/b/1", "l/b/2", "l/c"]) {
    await BUCKET.put(key, "v", { customMetadata: { key }, httpMetadata: { contentType: "x/y" } });
  }
  const flat = await BUCKET.list({ prefix: "l/", include: ["customMetadata"] });
  same(flat.objects.map((object) => [object.key, object.customMetadata.key]),
       [["l/a", "l/a"], ["l/b/1", "l/b/1"], ["l/b/2", "l/b/2"], ["l/c", "l/c"]]);
  const folded = await BUCKET.list({ prefix: "l/", delimiter: "/" });
  same([folded.objects.map((object) => object.key), folded.delimitedPrefixes, folded.truncated], [["l/a", "l/c"], ["l/b/"], false]);
  let cursor, keys = [];
  do {
    const page = await BUCKET.list({ prefix: "l/", limit: 1, cursor });
    keys.push(...page.objects.map((object) => object.key));
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor);
  same(keys, ["l/a", "l/b/1", "l/b/2", "l/c"]);
  same((await BUCKET.list({ prefix: "l/", startAfter: "l/b/1" })).objects.map((object) => object.key), ["l/b/2", "l/c"]);
});

test("r2 deletes", async ({ BUCKET }) => {
  for (const key of ["d/1", "d/2", "d/3"]) await BUCKET.put(key, "v");
  await BUCKET.delete("d/1");
  await BUCKET.delete(["d/2", "none"]);
  same((await BUCKET.list({ prefix: "d/" })).objects.map((object) => object.key), ["d/3"]);
});

test("r2 multipart", async ({ BUCKET }) => {
  const upload = await BUCKET.createMultipartUpload("big", { customMetadata: { m: "1" }, httpMetadata: { contentType: "x/z" } });
  const part = bytesOf(5 * 1024 * 1024);
  const second = await upload.uploadPart(2, "tail");
  const first = await BUCKET.resumeMultipartUpload("big", upload.uploadId).uploadPart(1, part);
  const object = await upload.complete([second, first]);
  same([object.size, object.customMetadata.m, object.etag.endsWith("-2")], [part.length + 4, "1", true]);
  same(await textOf(await BUCKET.get("big", { range: { suffix: 4 } })), "tail");
  await refused(upload.uploadPart(3, "late"), "10024");
  const small = await BUCKET.createMultipartUpload("small");
  const parts = [await small.uploadPart(1, "too small"), await small.uploadPart(2, "last")];
  await refused(small.complete(parts), "10011");
  await refused(small.complete([{ partNumber: 1, etag: "wrong" }]), "10025");
  await small.abort();
  await refused(small.uploadPart(1, "v"), "10024");
});

test("r2 large streams", async ({ BUCKET }) => {
  const size = 40 * 1024 * 1024;
  const { readable, writable } = new FixedLengthStream(size);
  const writing = (async () => {
    const writer = writable.getWriter();
    const piece = bytesOf(1024 * 1024);
    for (let sent = 0; sent < size; sent += piece.length) await writer.write(piece);
    await writer.close();
  })();
  const [put] = await Promise.all([BUCKET.put("large", readable), writing]);
  same(put.size, size);
  let got = 0, wrong = 0;
  const piece = bytesOf(1024 * 1024);
  const object = await BUCKET.get("large");
  for await (const bytes of object.body) {
    for (let i = 0; i < bytes.length; i += 4096) if (bytes[i] !== piece[(got + i) % piece.length]) wrong++;
    got += bytes.length;
  }
  same([got, wrong], [size, 0]);
});

test("r2 customer keys", async ({ BUCKET }) => {
  const ssecKey = "00".repeat(31) + "01", other = "00".repeat(31) + "02";
  const put = await BUCKET.put("sealed", "secret words", { ssecKey });
  same(await textOf(await BUCKET.get("sealed", { ssecKey })), "secret words");
  same((await BUCKET.head("sealed")).ssecKeyMd5, put.ssecKeyMd5);
  await refused(BUCKET.get("sealed"), "(100");
  await refused(BUCKET.get("sealed", { ssecKey: other }), "(100");
});

test("r2 refusals", async ({ BUCKET }) => {
  await refused(BUCKET.put("k".repeat(1025), "v"), "10020");
  await refused(BUCKET.put("k", "v", { customMetadata: { m: "x".repeat(8193) } }), "10012");
  await refused(BUCKET.delete(Array.from({ length: 1001 }, (_, i) => String(i))), "1000");
});

test("r2 a grant that reads, and one that is none", async ({ BUCKET, READER, FORGED }) => {
  await BUCKET.put("shared", "v");
  same(await textOf(await READER.get("shared")), "v");
  await refused(READER.put("shared", "w"), "only reads");
  await refused(FORGED.get("shared"), "Unspecified error");
  same(await textOf(await BUCKET.get("shared")), "v");
});

test("queues send of every form", async ({ QUEUE }) => {
  const before = (await QUEUE.metrics()).backlogCount;
  await QUEUE.send({ a: [1, "é"] });
  await QUEUE.send("wörds", { contentType: "text" });
  await QUEUE.send(bytesOf(1000), { contentType: "bytes" });
  await QUEUE.send(new Map([[1, new Date(0)]]), { contentType: "v8", delaySeconds: 60 });
  const answer = await QUEUE.send("x".repeat(127_000), { contentType: "text" });
  same(answer.metadata.metrics.backlogCount, before + 5);
});

test("queues sendBatch", async ({ QUEUE }) => {
  const before = (await QUEUE.metrics()).backlogCount;
  await QUEUE.sendBatch([{ body: 1 }, { body: "two", contentType: "text", delaySeconds: 5 }, { body: bytesOf(3), contentType: "bytes" }]);
  await QUEUE.sendBatch(Array.from({ length: 100 }, (_, i) => ({ body: i })), { delaySeconds: 3 });
  same((await QUEUE.metrics()).backlogCount, before + 103);
});

test("queues metrics", async ({ QUEUE, QUEUE_READER }) => {
  await QUEUE.send(1);
  const metrics = await QUEUE_READER.metrics();
  if (metrics.backlogCount < 1 || metrics.backlogBytes < 1) throw new Error(JSON.stringify(metrics));
  const age = Date.now() - new Date(metrics.oldestMessageTimestamp).getTime();
  if (!(age > -10_000 && age < 3_600_000)) throw new Error(`oldest ${metrics.oldestMessageTimestamp}`);
});

test("queues refusals", async ({ QUEUE, QUEUE_READER }) => {
  const before = (await QUEUE.metrics()).backlogCount;
  await refused(QUEUE.send("x".repeat(128_001), { contentType: "text" }), "128001");
  await refused(QUEUE.send(1, { delaySeconds: 86_401 }), "86401");
  await refused(QUEUE.sendBatch(Array.from({ length: 101 }, () => ({ body: 1 }))), "101");
  await refused(QUEUE.sendBatch([1, 2, 3].map(() => ({ body: "x".repeat(100_000), contentType: "text" }))), "256000");
  await refused(QUEUE_READER.send(1), "only reads");
  same((await QUEUE.metrics()).backlogCount, before);
});

test("ae points", async ({ AE, AE_READER }) => {
  AE.writeDataPoint({ indexes: ["i\u00e9"], blobs: ["text", new Uint8Array([0, 255]), null, ""], doubles: [1.5, NaN, -Infinity, 0] });
  AE.writeDataPoint({});
  AE.writeDataPoint({ blobs: ["x".repeat(16000)] });
  AE_READER.writeDataPoint({ blobs: ["from a grant that reads"] });
});

export default {
  async fetch(request, env) {
    const name = await request.text();
    const run = tests.get(name);
    if (!run) return new Response(`no test "${name}"`, { status: 404 });
    try {
      await run(env);
    } catch (error) {
      return new Response(`${error.message}\n${error.stack}`, { status: 500 });
    }
    return new Response("ok");
  },
};
