import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.genai.Client;
import com.google.genai.JsonSerializable;
import com.google.genai.Pager;
import com.google.genai.errors.ApiException;
import com.google.genai.types.BatchJobSource;
import com.google.genai.types.CreateBatchJobConfig;
import com.google.genai.types.CreateEmbeddingsBatchJobConfig;
import com.google.genai.types.EmbeddingsBatchJobSource;
import com.google.genai.types.File;
import com.google.genai.types.HttpOptions;
import com.google.genai.types.ListBatchJobsConfig;
import com.google.genai.types.ListFilesConfig;
import com.google.genai.types.ListModelsConfig;
import com.google.genai.types.UploadFileConfig;
import com.google.genai.types.UploadToFileSearchStoreConfig;
import com.google.genai.types.UploadToFileSearchStoreOperation;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** Runs google-genai for the end-to-end tests; ../sdk_process.py describes the protocol. */
public final class Runner {
  private interface Call {
    JsonNode with(JsonNode args) throws Exception;
  }

  private static final ObjectMapper JSON = JsonSerializable.objectMapper();

  private final Client client;

  private final Map<String, Call> calls =
      Map.ofEntries(
          Map.entry("files.upload", this::upload),
          Map.entry("files.list", this::listFiles),
          Map.entry("files.get", args -> plain(client().files.get(name(args), null))),
          Map.entry("files.delete", args -> plain(client().files.delete(name(args), null))),
          Map.entry("files.download", this::download),
          Map.entry("file_search_stores.upload", this::uploadToStore),
          Map.entry("models.list", this::listModels),
          Map.entry("models.get", args -> plain(client().models.get(name(args), null))),
          Map.entry("models.count", args -> prompts().countTokens(args)),
          Map.entry("models.embed", args -> prompts().embed(args)),
          Map.entry("models.generate", args -> prompts().generate(args)),
          Map.entry("models.stream", args -> prompts().stream(args)),
          Map.entry("models.stream_and_leave", args -> prompts().streamAndLeave(args)),
          Map.entry("chats.talk", args -> prompts().talk(args)),
          Map.entry("batches.create", this::createBatch),
          Map.entry("batches.create_embeddings", this::createEmbeddings),
          Map.entry("batches.list", this::listBatches),
          Map.entry("batches.get", args -> plain(client().batches.get(name(args), null))),
          Map.entry("batches.cancel", this::cancelBatch),
          Map.entry("batches.delete", args -> plain(client().batches.delete(name(args), null))));

  private Runner(Client client) {
    this.client = client;
  }

  private Client client() {
    return client;
  }

  private Prompts prompts() {
    return new Prompts(client);
  }

  public static void main(String[] arguments) throws IOException {
    BufferedReader input =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream output = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    Map<String, String> headers = new HashMap<>();
    JSON.readTree(System.getenv("FERRY_HEADERS"))
        .fields()
        .forEachRemaining(header -> headers.put(header.getKey(), header.getValue().asText()));
    HttpOptions options =
        HttpOptions.builder().baseUrl(System.getenv("FERRY_BASE_URL")).headers(headers).build();
    try (Client client =
        Client.builder().apiKey(System.getenv("FERRY_API_KEY")).httpOptions(options).build()) {
      Runner runner = new Runner(client);
      for (String line = input.readLine(); line != null; line = input.readLine()) {
        output.println(JSON.writeValueAsString(runner.answer(JSON.readTree(line))));
      }
    }
  }

  private ObjectNode answer(JsonNode command) {
    ObjectNode answer = JSON.createObjectNode();
    answer.set("id", command.get("id"));
    try {
      answer.set("ok", calls.get(command.get("call").asText()).with(command.get("args")));
    } catch (Exception error) { // the test gets every exception of the SDK
      ObjectNode failure = answer.putObject("error").put("name", error.getClass().getSimpleName());
      if (error instanceof ApiException refused) {
        failure.put("code", refused.code()).put("status", refused.status());
        failure.put("message", refused.message());
      } else {
        failure.putNull("code").putNull("status").put("message", String.valueOf(error.getMessage()));
      }
    }
    return answer;
  }

  // --- files ---

  private JsonNode upload(JsonNode args) {
    UploadFileConfig.Builder config = UploadFileConfig.builder();
    if (args.has("mime_type")) {
      config.mimeType(args.get("mime_type").asText());
    }
    if (args.has("display_name")) {
      config.displayName(args.get("display_name").asText());
    }
    if (args.has("path")) {
      return plain(client.files.upload(args.get("path").asText(), config.build()));
    }
    return plain(client.files.upload(pattern(args.get("size").asInt()), config.build()));
  }

  /** Byte i is i mod 251; ../pattern.py says why. */
  private static byte[] pattern(int size) {
    byte[] bytes = new byte[size];
    for (int i = 0; i < size; i++) {
      bytes[i] = (byte) (i % 251);
    }
    return bytes;
  }

  private JsonNode listFiles(JsonNode args) {
    ListFilesConfig.Builder config = ListFilesConfig.builder();
    if (args.has("page_size")) {
      config.pageSize(args.get("page_size").asInt());
    }
    return everyPage(client.files.list(config.build()));
  }

  private JsonNode download(JsonNode args) throws IOException {
    String path = args.get("path").asText();
    if (args.has("name")) {
      client.files.download(args.get("name").asText(), path, null);
    } else {
      client.files.download(File.fromJson(args.get("file").toString()), path, null);
    }
    return JSON.createObjectNode().put("size", Files.size(Path.of(path)));
  }

  private JsonNode uploadToStore(JsonNode args) {
    String store = client.fileSearchStores.create(null).name().get();
    UploadToFileSearchStoreConfig config =
        UploadToFileSearchStoreConfig.builder()
            .mimeType(args.get("mime_type").asText())
            .displayName(args.get("display_name").asText())
            .build();
    UploadToFileSearchStoreOperation begun =
        client.fileSearchStores.uploadToFileSearchStore(store, args.get("path").asText(), config);
    String document = client.operations.get(begun, null).response().get().documentName().get();
    return plain(client.fileSearchStores.documents.get(document, null));
  }

  // --- batches ---

  private JsonNode createBatch(JsonNode args) {
    JsonNode given = args.get("src");
    ObjectNode source = JSON.createObjectNode();
    source.set(given.isTextual() ? "fileName" : "inlinedRequests", given);
    return plain(
        client.batches.create(
            args.get("model").asText(),
            BatchJobSource.fromJson(source.toString()),
            args.has("config")
                ? CreateBatchJobConfig.fromJson(args.get("config").toString())
                : null));
  }

  private JsonNode createEmbeddings(JsonNode args) {
    return plain(
        client.batches.createEmbeddings(
            args.get("model").asText(),
            EmbeddingsBatchJobSource.fromJson(args.get("src").toString()),
            args.has("config")
                ? CreateEmbeddingsBatchJobConfig.fromJson(args.get("config").toString())
                : null));
  }

  private JsonNode listBatches(JsonNode args) {
    ListBatchJobsConfig.Builder config = ListBatchJobsConfig.builder();
    if (args.has("page_size")) {
      config.pageSize(args.get("page_size").asInt());
    }
    return everyPage(client.batches.list(config.build()));
  }

  private JsonNode cancelBatch(JsonNode args) {
    client.batches.cancel(name(args), null);
    return null;
  }

  // --- models ---

  private JsonNode listModels(JsonNode args) {
    ListModelsConfig.Builder config = ListModelsConfig.builder();
    if (args.has("page_size")) {
      config.pageSize(args.get("page_size").asInt());
    }
    return everyPage(client.models.list(config.build()));
  }

  // --- arguments and answers ---

  private static String name(JsonNode args) {
    return args.get("name").asText();
  }

  private static JsonNode everyPage(Pager<? extends JsonSerializable> pager) {
    ArrayNode items = JSON.createArrayNode();
    int pages = 1;
    pager.page().forEach(item -> items.add(plain(item)));
    while (true) {
      try {
        pager.nextPage().forEach(item -> items.add(plain(item)));
      } catch (IndexOutOfBoundsException end) { // there is no further page
        ObjectNode listed = JSON.createObjectNode().put("pages", pages);
        listed.set("items", items);
        return listed;
      }
      pages++;
    }
  }

  static JsonNode plain(JsonSerializable result) {
    ObjectNode answer = (ObjectNode) JsonSerializable.stringToJsonNode(result.toJson());
    answer.remove("sdkHttpResponse");
    return answer;
  }
}
