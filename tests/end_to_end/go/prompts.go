package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"

	"google.golang.org/genai"
)

// Single requests and chats; ../sdk_process.py describes the calls.

var weather = &genai.Tool{FunctionDeclarations: []*genai.FunctionDeclaration{{
	Name: "weather",
	ParametersJsonSchema: map[string]any{
		"type":       "object",
		"properties": map[string]any{"place": map[string]any{"type": "string"}},
		"required":   []string{"place"},
	},
}}}

type said struct {
	Text             string `json:"text"`
	PromptTokenCount *int32 `json:"promptTokenCount"`
}

func promptOf(a args) ([]*genai.Content, *genai.GenerateContentConfig, error) {
	var contents []*genai.Content
	config := &genai.GenerateContentConfig{}
	err := errors.Join(parseConfig(a.Contents, &contents), parseConfig(a.Config, config))
	if a.Tool {
		config.Tools = []*genai.Tool{weather}
	}
	return contents, config, err
}

func listModels(ctx context.Context, client *genai.Client, a args) (any, error) {
	page, err := client.Models.List(ctx, &genai.ListModelsConfig{PageSize: a.PageSize})
	return everyPage(ctx, page, err)
}

func getModel(ctx context.Context, client *genai.Client, a args) (any, error) {
	return client.Models.Get(ctx, a.Name, nil)
}

func countTokens(ctx context.Context, client *genai.Client, a args) (any, error) {
	contents, _, err := promptOf(a)
	if err != nil {
		return nil, err
	}
	return client.Models.CountTokens(ctx, a.Model, contents, nil)
}

func embed(ctx context.Context, client *genai.Client, a args) (any, error) {
	var texts []string
	config := &genai.EmbedContentConfig{}
	if err := errors.Join(parseConfig(a.Contents, &texts), parseConfig(a.Config, config)); err != nil {
		return nil, err
	}
	var contents []*genai.Content
	for _, text := range texts {
		contents = append(contents, genai.NewContentFromText(text, genai.RoleUser))
	}
	return client.Models.EmbedContent(ctx, a.Model, contents, config)
}

func generate(ctx context.Context, client *genai.Client, a args) (any, error) {
	contents, config, err := promptOf(a)
	if err != nil {
		return nil, err
	}
	answered, err := client.Models.GenerateContent(ctx, a.Model, contents, config)
	if err != nil {
		return nil, err
	}
	return plain(answered)
}

func stream(ctx context.Context, client *genai.Client, a args) (any, error) {
	contents, config, err := promptOf(a)
	if err != nil {
		return nil, err
	}
	items := []any{}
	for chunk, err := range client.Models.GenerateContentStream(ctx, a.Model, contents, config) {
		if err != nil {
			return nil, err
		}
		item, err := plain(chunk)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return map[string]any{"items": items}, nil
}

func streamAndLeave(ctx context.Context, client *genai.Client, a args) (any, error) {
	contents, config, err := promptOf(a)
	if err != nil {
		return nil, err
	}
	for chunk, err := range client.Models.GenerateContentStream(ctx, a.Model, contents, config) {
		if err != nil {
			return nil, err
		}
		item, err := plain(chunk)
		return map[string]any{"item": item}, err
	}
	return nil, errors.New("the stream is empty")
}

// talk answers function calls by hand: the SDK has no automatic function calling.
func talk(ctx context.Context, client *genai.Client, a args) (any, error) {
	_, config, err := promptOf(a)
	if err != nil {
		return nil, err
	}
	chat, err := client.Chats.Create(ctx, a.Model, config, nil)
	if err != nil {
		return nil, err
	}
	items := []said{}
	for _, text := range a.Messages {
		answers, err := send(ctx, chat, a.Stream, &genai.Part{Text: text})
		if err != nil {
			return nil, err
		}
		if calls := callsIn(answers); len(calls) > 0 {
			if answers, err = send(ctx, chat, a.Stream, carriedOut(calls)...); err != nil {
				return nil, err
			}
		}
		items = append(items, inShort(answers))
	}
	return map[string]any{"items": items, "history": chat.History(true)}, nil
}

func send(
	ctx context.Context, chat *genai.Chat, streamed bool, parts ...*genai.Part,
) ([]*genai.GenerateContentResponse, error) {
	if !streamed {
		answer, err := chat.Send(ctx, parts...)
		return []*genai.GenerateContentResponse{answer}, err
	}
	return all(chat.SendStream(ctx, parts...))
}

func all[T any](sequence iter.Seq2[T, error]) ([]T, error) {
	var items []T
	for item, err := range sequence {
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, nil
}

func callsIn(answers []*genai.GenerateContentResponse) []*genai.FunctionCall {
	var calls []*genai.FunctionCall
	for _, answer := range answers {
		calls = append(calls, answer.FunctionCalls()...)
	}
	return calls
}

func carriedOut(calls []*genai.FunctionCall) []*genai.Part {
	var parts []*genai.Part
	for _, call := range calls {
		result := map[string]any{"result": fmt.Sprintf("sunny in %v", call.Args["place"])}
		response := &genai.FunctionResponse{ID: call.ID, Name: call.Name, Response: result}
		parts = append(parts, &genai.Part{FunctionResponse: response})
	}
	return parts
}

func inShort(answers []*genai.GenerateContentResponse) said {
	var short said
	for _, answer := range answers {
		short.Text += answer.Text()
		if answer.UsageMetadata != nil {
			short.PromptTokenCount = &answer.UsageMetadata.PromptTokenCount
		}
	}
	return short
}

// plain is the SDK's own JSON of an answer, without the HTTP headers.
func plain(result *genai.GenerateContentResponse) (any, error) {
	encoded, err := json.Marshal(result)
	if err != nil {
		return nil, err
	}
	var fields map[string]any
	err = json.Unmarshal(encoded, &fields)
	delete(fields, "sdkHttpResponse")
	return fields, err
}
