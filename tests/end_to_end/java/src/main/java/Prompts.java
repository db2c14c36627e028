import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.genai.Chat;
import com.google.genai.Client;
import com.google.genai.JsonSerializable;
import com.google.genai.ResponseStream;
import com.google.genai.types.Content;
import com.google.genai.types.EmbedContentConfig;
import com.google.genai.types.FunctionCall;
import com.google.genai.types.FunctionResponse;
import com.google.genai.types.GenerateContentConfig;
import com.google.genai.types.GenerateContentResponse;
import com.google.genai.types.Part;
import com.google.genai.types.Tool;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Single requests and chats; ../sdk_process.py describes the calls. */
public final class Prompts {
  private static final ObjectMapper JSON = JsonSerializable.objectMapper();

  private final Client client;

  Prompts(Client client) {
    this.client = client;
  }

  /** What the weather is like; the SDK finds it by reflection. */
  public static String weather(String place) {
    return "sunny in " + place;
  }

  JsonNode countTokens(JsonNode args) {
    return Runner.plain(client.models.countTokens(model(args), contents(args), null));
  }

  JsonNode embed(JsonNode args) {
    List<String> texts = new ArrayList<>();
    args.get("contents").forEach(text -> texts.add(text.asText()));
    EmbedContentConfig config = EmbedContentConfig.fromJson(args.get("config").toString());
    return Runner.plain(client.models.embedContent(model(args), texts, config));
  }

  JsonNode generate(JsonNode args) throws Exception {
    return Runner.plain(client.models.generateContent(model(args), contents(args), config(args)));
  }

  JsonNode stream(JsonNode args) throws Exception {
    ObjectNode answer = JSON.createObjectNode();
    ArrayNode items = answer.putArray("items");
    try (ResponseStream<GenerateContentResponse> chunks = begin(args)) {
      chunks.forEach(chunk -> items.add(Runner.plain(chunk)));
    }
    return answer;
  }

  /** Only `close` ends the connection: to leave the loop does not. */
  JsonNode streamAndLeave(JsonNode args) throws Exception {
    try (ResponseStream<GenerateContentResponse> chunks = begin(args)) {
      return JSON.createObjectNode().set("item", Runner.plain(chunks.iterator().next()));
    }
  }

  /** Streams have no automatic function calling, so their calls are answered by hand. */
  JsonNode talk(JsonNode args) throws Exception {
    Chat chat = client.chats.create(model(args), config(args));
    boolean streamed = args.get("stream").asBoolean();
    ObjectNode talked = JSON.createObjectNode();
    ArrayNode items = talked.putArray("items");
    for (JsonNode message : args.get("messages")) {
      Part text = Part.fromText(message.asText());
      List<GenerateContentResponse> answers = send(chat, streamed, List.of(text));
      List<Part> answered = parts(answers).flatMap(Prompts::carriedOut).toList();
      if (!answered.isEmpty()) {
        answers = send(chat, streamed, answered);
      }
      ObjectNode item = items.addObject();
      item.put("text", String.join("", parts(answers).map(Prompts::text).toList()));
      answers
          .get(answers.size() - 1)
          .usageMetadata()
          .flatMap(usage -> usage.promptTokenCount())
          .ifPresent(count -> item.put("promptTokenCount", count));
    }
    ArrayNode history = talked.putArray("history");
    for (Object turn : chat.getHistory(true)) {
      history.add(JsonSerializable.stringToJsonNode(((Content) turn).toJson()));
    }
    return talked;
  }

  private static List<GenerateContentResponse> send(Chat chat, boolean streamed, List<Part> parts) {
    Content content = Content.builder().role("user").parts(parts).build();
    if (!streamed) {
      return List.of(chat.sendMessage(content));
    }
    List<GenerateContentResponse> answers = new ArrayList<>();
    try (ResponseStream<GenerateContentResponse> chunks = chat.sendMessageStream(content)) {
      chunks.forEach(answers::add);
    }
    return answers;
  }

  private static Stream<Part> parts(List<GenerateContentResponse> answers) {
    return answers.stream()
        .flatMap(answer -> answer.candidates().map(candidates -> candidates.get(0)).stream())
        .flatMap(candidate -> candidate.content().flatMap(Content::parts).orElse(List.of()).stream());
  }

  private static String text(Part part) {
    return part.thought().orElse(false) ? "" : part.text().orElse("");
  }

  private static Stream<Part> carriedOut(Part part) {
    return part.functionCall().map(Prompts::carriedOut).stream();
  }

  private static Part carriedOut(FunctionCall call) {
    String place = (String) call.args().get().get("place");
    FunctionResponse.Builder response = FunctionResponse.builder().name(call.name().get());
    call.id().ifPresent(response::id);
    response.response(Map.of("result", weather(place)));
    return Part.builder().functionResponse(response).build();
  }

  private ResponseStream<GenerateContentResponse> begin(JsonNode args) throws Exception {
    return client.models.generateContentStream(model(args), contents(args), config(args));
  }

  private static String model(JsonNode args) {
    return args.get("model").asText();
  }

  private static List<Content> contents(JsonNode args) {
    List<Content> contents = new ArrayList<>();
    args.get("contents").forEach(content -> contents.add(Content.fromJson(content.toString())));
    return contents;
  }

  private static GenerateContentConfig config(JsonNode args) throws NoSuchMethodException {
    String given = args.has("config") ? args.get("config").toString() : "{}";
    GenerateContentConfig config = GenerateContentConfig.fromJson(given);
    if (!args.has("tool") || !args.get("tool").asBoolean()) {
      return config;
    }
    Tool tool = Tool.builder().functions(Prompts.class.getMethod("weather", String.class)).build();
    return config.toBuilder().tools(tool).build();
  }
}
