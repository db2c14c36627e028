// Runs google.golang.org/genai for the end-to-end tests; ../sdk_process.py describes the protocol.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"

	"google.golang.org/genai"
)

type command struct {
	ID   int    `json:"id"`
	Call string `json:"call"`
	Args args   `json:"args"`
}

type args struct {
	Name        string          `json:"name"`
	Path        string          `json:"path"`
	Size        *int64          `json:"size"`
	MIMEType    string          `json:"mime_type"`
	DisplayName string          `json:"display_name"`
	PageSize    int32           `json:"page_size"`
	File        *genai.File     `json:"file"`
	Model       string          `json:"model"`
	Src         json.RawMessage `json:"src"`
	Config      json.RawMessage `json:"config"`
	Contents    json.RawMessage `json:"contents"`
	Messages    []string        `json:"messages"`
	Stream      bool            `json:"stream"`
	Tool        bool            `json:"tool"`
}

type answer struct {
	ID    int      `json:"id"`
	OK    any      `json:"ok"`
	Error *failure `json:"error,omitempty"`
}

type failure struct {
	Name    string  `json:"name"`
	Code    *int    `json:"code"`
	Status  *string `json:"status"`
	Message string  `json:"message"`
}

type call func(context.Context, *genai.Client, args) (any, error)

var calls = map[string]call{
	"files.upload":              upload,
	"files.upload_reader":       uploadReader,
	"files.list":                listFiles,
	"files.get":                 getFile,
	"files.delete":              deleteFile,
	"files.download":            download,
	"file_search_stores.upload": uploadToStore,
	"models.list":               listModels,
	"models.get":                getModel,
	"models.count":              countTokens,
	"models.embed":              embed,
	"models.generate":           generate,
	"models.stream":             stream,
	"models.stream_and_leave":   streamAndLeave,
	"chats.talk":                talk,
	"batches.create":            createBatch,
	"batches.create_embeddings": createEmbeddings,
	"batches.list":              listBatches,
	"batches.get":               getBatch,
	"batches.cancel":            cancelBatch,
	"batches.delete":            deleteBatch,
}

func main() {
	ctx := context.Background()
	client, err := newClient(ctx)
	if err != nil {
		log.Fatal(err)
	}
	input := bufio.NewReader(os.Stdin)
	output := json.NewEncoder(os.Stdout)
	for {
		line, err := input.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			log.Fatal(err)
		}
		if err := output.Encode(carryOut(ctx, client, line)); err != nil {
			log.Fatal(err)
		}
	}
}

func newClient(ctx context.Context) (*genai.Client, error) {
	var given map[string]string
	if err := json.Unmarshal([]byte(os.Getenv("FERRY_HEADERS")), &given); err != nil {
		return nil, err
	}
	headers := http.Header{}
	for name, value := range given {
		headers.Set(name, value)
	}
	return genai.NewClient(ctx, &genai.ClientConfig{
		APIKey:      os.Getenv("FERRY_API_KEY"),
		Backend:     genai.BackendGeminiAPI,
		HTTPOptions: genai.HTTPOptions{BaseURL: os.Getenv("FERRY_BASE_URL"), Headers: headers},
	})
}

func carryOut(ctx context.Context, client *genai.Client, line []byte) answer {
	var asked command
	if err := json.Unmarshal(line, &asked); err != nil {
		return answer{Error: failureOf(err)}
	}
	carry, known := calls[asked.Call]
	if !known {
		return answer{ID: asked.ID, Error: failureOf(fmt.Errorf("the Go runner has no %q", asked.Call))}
	}
	result, err := carry(ctx, client, asked.Args)
	if err != nil {
		return answer{ID: asked.ID, Error: failureOf(err)}
	}
	return answer{ID: asked.ID, OK: result}
}

// The SDK reports some API errors as text only, without a code.
func failureOf(err error) *failure {
	var refused genai.APIError
	if errors.As(err, &refused) {
		return &failure{"APIError", &refused.Code, &refused.Status, refused.Message}
	}
	return &failure{Name: fmt.Sprintf("%T", err), Message: err.Error()}
}

// --- files ---

func upload(ctx context.Context, client *genai.Client, a args) (any, error) {
	if a.Path == "" {
		return uploadReader(ctx, client, a)
	}
	return client.Files.UploadFromPath(ctx, a.Path, uploadConfig(a))
}

// uploadReader uploads without a size, which Upload(io.Reader) cannot know.
func uploadReader(ctx context.Context, client *genai.Client, a args) (any, error) {
	if a.Size == nil {
		return nil, errors.New("an upload needs a path or a size")
	}
	return client.Files.Upload(ctx, io.LimitReader(&pattern{}, *a.Size), uploadConfig(a))
}

func uploadConfig(a args) *genai.UploadFileConfig {
	return &genai.UploadFileConfig{MIMEType: a.MIMEType, DisplayName: a.DisplayName}
}

// pattern is infinite: byte i is i mod 251; ../pattern.py says why.
type pattern struct{ next byte }

func (p *pattern) Read(into []byte) (int, error) {
	for i := range into {
		into[i] = p.next
		p.next = (p.next + 1) % 251
	}
	return len(into), nil
}

func listFiles(ctx context.Context, client *genai.Client, a args) (any, error) {
	page, err := client.Files.List(ctx, &genai.ListFilesConfig{PageSize: a.PageSize})
	return everyPage(ctx, page, err)
}

func getFile(ctx context.Context, client *genai.Client, a args) (any, error) {
	return client.Files.Get(ctx, a.Name, nil)
}

func deleteFile(ctx context.Context, client *genai.Client, a args) (any, error) {
	return client.Files.Delete(ctx, a.Name, nil)
}

// download passes a File: the Go SDK downloads only by its DownloadURI.
func download(ctx context.Context, client *genai.Client, a args) (any, error) {
	file := a.File
	if file == nil {
		file = &genai.File{DownloadURI: a.Name}
	}
	content, err := client.Files.Download(ctx, file, nil)
	if err != nil {
		return nil, err
	}
	return map[string]int{"size": len(content)}, os.WriteFile(a.Path, content, 0o600)
}

func uploadToStore(ctx context.Context, client *genai.Client, a args) (any, error) {
	stores := client.FileSearchStores
	store, err := stores.Create(ctx, nil)
	if err != nil {
		return nil, err
	}
	config := &genai.UploadToFileSearchStoreConfig{MIMEType: a.MIMEType, DisplayName: a.DisplayName}
	begun, err := stores.UploadToFileSearchStoreFromPath(ctx, a.Path, store.Name, config)
	if err != nil {
		return nil, err
	}
	ended, err := client.Operations.GetUploadToFileSearchStoreOperation(ctx, begun, nil)
	if err != nil {
		return nil, err
	}
	return stores.Documents.Get(ctx, ended.Response.DocumentName, nil)
}

// --- batches ---

func createBatch(ctx context.Context, client *genai.Client, a args) (any, error) {
	var config *genai.CreateBatchJobConfig
	source := &genai.BatchJobSource{}
	if err := errors.Join(
		parseSource(a.Src, &source.FileName, &source.InlinedRequests),
		parseConfig(a.Config, &config),
	); err != nil {
		return nil, err
	}
	return client.Batches.Create(ctx, a.Model, source, config)
}

func createEmbeddings(ctx context.Context, client *genai.Client, a args) (any, error) {
	var config *genai.CreateEmbeddingsBatchJobConfig
	source := &genai.EmbeddingsBatchJobSource{}
	if err := errors.Join(json.Unmarshal(a.Src, source), parseConfig(a.Config, &config)); err != nil {
		return nil, err
	}
	return client.Batches.CreateEmbeddings(ctx, &a.Model, source, config)
}

// parseSource reads the source of batches.create: a file's name, or a list of requests.
func parseSource(raw json.RawMessage, fileName *string, requests any) error {
	if strings.HasPrefix(string(raw), `"`) {
		return json.Unmarshal(raw, fileName)
	}
	return json.Unmarshal(raw, requests)
}

func parseConfig(raw json.RawMessage, config any) error {
	if len(raw) == 0 {
		return nil
	}
	return json.Unmarshal(raw, config)
}

func listBatches(ctx context.Context, client *genai.Client, a args) (any, error) {
	page, err := client.Batches.List(ctx, &genai.ListBatchJobsConfig{PageSize: a.PageSize})
	return everyPage(ctx, page, err)
}

func getBatch(ctx context.Context, client *genai.Client, a args) (any, error) {
	return client.Batches.Get(ctx, a.Name, nil)
}

func cancelBatch(ctx context.Context, client *genai.Client, a args) (any, error) {
	return nil, client.Batches.Cancel(ctx, a.Name, nil)
}

func deleteBatch(ctx context.Context, client *genai.Client, a args) (any, error) {
	return client.Batches.Delete(ctx, a.Name, nil)
}

func everyPage[T any](ctx context.Context, page genai.Page[T], err error) (any, error) {
	items := []*T{}
	for pages := 0; ; pages++ {
		if errors.Is(err, genai.ErrPageDone) {
			return map[string]any{"items": items, "pages": pages}, nil
		}
		if err != nil {
			return nil, err
		}
		items = append(items, page.Items...)
		page, err = page.Next(ctx)
	}
}
