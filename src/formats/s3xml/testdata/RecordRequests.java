// XML bodies as Java's S3 client (version 2; Hadoop's s3a, Spark and Trino use it) sends them: requests_java.json.
//
//     mvn dependency:copy-dependencies    (of software.amazon.awssdk:s3, into lib)
//     java -cp 'lib/*' RecordRequests.java > requests_java.json
//
// Recorded with 2.31.78 on Java 17. Nothing is sent anywhere but to a server in this process.
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.*;

class RecordRequests {
  static final List<String> recorded = new ArrayList<>();
  static String statement = "";

  static String quoted(String text) {
    StringBuilder out = new StringBuilder("\"");
    for (char c : text.toCharArray()) {
      if (c == '"' || c == '\\') out.append('\\').append(c);
      else if (c < 32 || c > 126) out.append(String.format("\\u%04x", (int) c));
      else out.append(c);
    }
    return out.append('"').toString();
  }

  public static void main(String[] arguments) throws Exception {
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    server.createContext("/", exchange -> {
      String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
      recorded.add("{\"client\": \"aws-sdk-java\", \"statement\": " + quoted(statement) + ",\n  \"body\": " + quoted(body) + "}");
      exchange.sendResponseHeaders(200, -1);
      exchange.close();
    });
    server.start();
    S3Client s3 = S3Client.builder().region(Region.of("auto")).forcePathStyle(true)
        .endpointOverride(URI.create("http://127.0.0.1:" + server.getAddress().getPort()))
        .credentialsProvider(StaticCredentialsProvider.create(AwsBasicCredentials.create("a", "s"))).build();
    String etag = "\"d41d8cd98f00b204e9800998ecf8427e\"";
    List<ObjectIdentifier> objects = new ArrayList<>();
    for (String key : new String[] {"plain.txt", "a b", " lead and trail ", "a&b<c>d\"e'f", "tab\there", "line\nfeed", "carriage\rreturn",
        "ünï/日本/🪣", "&amp;", "]]>", "\u00a0\u0085\u2028"}) {
      objects.add(ObjectIdentifier.builder().key(key).build());
    }
    statement = "delete";
    s3.deleteObjects(r -> r.bucket("bucket").delete(d -> d.objects(objects).quiet(true)));
    statement = "complete";
    s3.completeMultipartUpload(r -> r.bucket("bucket").key("k").uploadId("u").multipartUpload(m -> m.parts(
        CompletedPart.builder().partNumber(1).eTag(etag).build(),
        CompletedPart.builder().partNumber(2).eTag(etag).checksumCRC32("AAAAAA==").build())));
    statement = "create bucket";
    s3.createBucket(r -> r.bucket("bucket").createBucketConfiguration(c -> c.locationConstraint("eu-west-1")));
    statement = "versioning";
    s3.putBucketVersioning(r -> r.bucket("bucket").versioningConfiguration(c -> c.status(BucketVersioningStatus.ENABLED)));
    statement = "cors";
    s3.putBucketCors(r -> r.bucket("bucket").corsConfiguration(c -> c.corsRules(CORSRule.builder().allowedOrigins("*")
        .allowedMethods("GET", "DELETE").allowedHeaders("*").maxAgeSeconds(5).build())));
    statement = "lifecycle";
    s3.putBucketLifecycleConfiguration(r -> r.bucket("bucket").lifecycleConfiguration(c -> c.rules(LifecycleRule.builder().id("r")
        .status(ExpirationStatus.ENABLED).filter(f -> f.prefix("p/"))
        .expiration(e -> e.date(Instant.parse("2030-01-01T00:00:00Z"))).build())));
    server.stop(0);
    System.out.println("[" + String.join(",\n ", recorded) + "]");
  }
}
