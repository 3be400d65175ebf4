package mastodon_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
)

// description holds requests to the description of Mastodon's API; see testdata/openapi/README.md.
type description struct{ router routers.Router }

func readDescription(t testing.TB) description {
	t.Helper()
	router, err := readRouter()
	if err != nil {
		t.Fatal(err)
	}
	return description{router}
}

var readRouter = sync.OnceValues(func() (routers.Router, error) {
	doc, err := openapi3.NewLoader().LoadFromFile(filepath.Join("testdata", "openapi", "mastodon-4.7.0.json"))
	if err != nil {
		return nil, err
	}
	addContentType(doc)
	return legacy.NewRouter(doc)
})

// addContentType adds the one field that is not Mastodon's; see newStatus.
func addContentType(doc *openapi3.T) {
	text := openapi3.NewStringSchema().WithEnum("text/plain").NewRef()
	for _, operation := range []*openapi3.Operation{doc.Paths.Value("/api/v1/statuses").Post, doc.Paths.Value("/api/v1/statuses/{id}").Put} {
		schema := operation.RequestBody.Value.Content["application/json"].Schema.Value
		for _, s := range append(schema.OneOf, schema.NewRef()) {
			if s.Value.Properties != nil {
				s.Value.Properties["content_type"] = text
			}
		}
	}
}

// check says what is wrong with a request: its path, parameters, header or body.
func (d description) check(r *http.Request) error {
	route, params, err := d.router.FindRoute(r)
	if err != nil {
		return err
	}
	if r.Header.Get("Authorization") == "" {
		return fmt.Errorf("it has no token")
	}
	for name := range r.URL.Query() {
		if route.Operation.Parameters.GetByInAndName("query", name) == nil {
			return fmt.Errorf("%s has no parameter %q", route.Operation.OperationID, name)
		}
	}
	options := &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc}
	options.WithCustomSchemaErrorFunc(reason)
	return openapi3filter.ValidateRequest(context.Background(), &openapi3filter.RequestValidationInput{
		Request: r, PathParams: params, Route: route, Options: options,
	})
}

// reason says what is wrong and where, without the whole schema.
func reason(e *openapi3.SchemaError) string {
	text := "/" + strings.Join(e.JSONPointer(), "/") + ": " + e.Reason
	if e.Origin != nil {
		text += ": " + e.Origin.Error()
	}
	return text
}

// The description refuses what it should, so that its silence means something.
func TestDescription(t *testing.T) {
	d := readDescription(t)
	for _, tt := range []struct{ method, path, body, wrong string }{
		{"POST", "/api/v1/statuses", `{"status":"a","visibility":"public"}`, ""},
		{"POST", "/api/v1/statuses", `{"status":"a","poll":{"options":["x","y"],"expires_in":300}}`, ""},
		{"POST", "/api/v1/statuses", `{"status":"a","media_ids":["1"],"content_type":"text/plain"}`, ""},
		{"GET", "/api/v1/accounts/1/statuses?limit=40&exclude_reblogs=true", "", ""},
		{"POST", "/api/v1/statuses", `{}`, `property "status" is missing`},
		{"POST", "/api/v1/statuses", `{"status":"a","visibility":"everybody"}`, "visibility"},
		{"POST", "/api/v1/statuses", `{"status":"a","sensitve":true}`, "sensitve"},
		{"POST", "/api/v1/statuses", `{"media_ids":["1"],"poll":{"options":["x"],"expires_in":300}}`, "poll"},
		{"POST", "/api/v1/statuses", `{"poll":{"options":["x"],"expires_in":"300"}}`, "expires_in"},
		{"POST", "/api/v1/statuses", ``, "body"},
		{"PUT", "/api/v1/statuses/1", `{"status":"a","visibility":"public"}`, "visibility"},
		{"GET", "/api/v1/accounts/1/statuses?limit=many", "", "limit"},
		{"GET", "/api/v1/accounts/1/statuses?limt=40", "", "limt"},
		{"GET", "/api/v2/search", "", `"q"`},
		{"GET", "/api/v1/status/1", "", "no matching operation"},
		{"POST", "/api/v2/instance", "", "method not allowed"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), tt.method, "https://mastodon.example"+tt.path, strings.NewReader(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer x")
		if tt.body != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		err = d.check(r)
		if (err == nil) != (tt.wrong == "") || err != nil && !strings.Contains(err.Error(), tt.wrong) {
			t.Errorf("%s %s %s: got %v, want something about %q", tt.method, tt.path, tt.body, err, tt.wrong)
		}
	}
	if err := d.check(&http.Request{Method: "GET", URL: &url.URL{Path: "/api/v2/instance"}, Header: http.Header{}}); err == nil {
		t.Error("a request without a token passes")
	}
}
