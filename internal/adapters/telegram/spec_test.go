package telegram_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/postrider/postrider/internal/adapters/telegram/fake"
	"github.com/postrider/postrider/internal/platform/fakenet"
)

// description is the part of the official description of the API that is used here, and what it has against the requests so far; see
// testdata/README.md.
type description struct {
	Methods map[string]object `json:"methods"`
	Types   map[string]object `json:"types"`

	mu       sync.Mutex
	wrong    map[string]bool
	requests int
}

type object struct {
	Fields []field `json:"fields"`
}

type field struct {
	Name     string   `json:"name"`
	Types    []string `json:"types"`
	Required bool     `json:"required"`
}

func readDescription(t *testing.T) *description {
	t.Helper()
	data, err := os.ReadFile("testdata/bot-api-10.1.json")
	if err != nil {
		t.Fatal(err)
	}
	d := &description{wrong: map[string]bool{}}
	if err := json.Unmarshal(data, d); err != nil {
		t.Fatal(err)
	}
	return d
}

// report fails the test for everything that was wrong.
func (d *description) report(t *testing.T) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	for w := range d.wrong {
		t.Error(w)
	}
	if d.requests == 0 {
		t.Error("no request was held to the description")
	}
}

// checkedServer is a fake whose requests are held to the description before it gets them.
type checkedServer struct {
	*fake.Server
	d *description
}

// checked returns the fake behind the description; a nil description lets everything pass.
func (d *description) checked(s *fake.Server) fakenet.Fake {
	if d == nil {
		return s
	}
	return checkedServer{s, d}
}

func (s checkedServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost && !s.Strikes(fakenet.HalfRequest) { // which is about to read only a half
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		s.d.check(path.Base(r.URL.Path), r.Header.Get("Content-Type"), body)
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	s.Server.ServeHTTP(w, r)
}

func (d *description) check(method, contentType string, body []byte) {
	values, files, err := arguments(contentType, body)
	var wrong []string
	if err != nil {
		wrong = append(wrong, method+": "+err.Error())
	} else if m, ok := d.Methods[method]; !ok {
		wrong = append(wrong, "there is no method "+method)
	} else {
		wrong = d.fields(method, m, values, files)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.requests++
	for _, w := range wrong {
		d.wrong[w] = true
	}
}

// arguments reads a request's arguments: as JSON values, from a form as far as they are JSON and as texts otherwise.
func arguments(contentType string, body []byte) (values map[string]any, files []string, err error) {
	kind, more, _ := mime.ParseMediaType(contentType)
	if kind != "multipart/form-data" {
		decoder := json.NewDecoder(bytes.NewReader(body))
		decoder.UseNumber()
		return values, nil, decoder.Decode(&values)
	}
	form, err := multipart.NewReader(bytes.NewReader(body), more["boundary"]).ReadForm(1 << 26)
	if err != nil {
		return nil, nil, err
	}
	values = map[string]any{}
	for key, list := range form.Value {
		values[key] = formValue(list[0])
	}
	for key := range form.File {
		files = append(files, key)
	}
	return values, files, nil
}

// formValue is a value of a form: an object, an array, a number, true, or else a text.
type formValue string

func (d *description) fields(where string, o object, values map[string]any, files []string) (wrong []string) {
	for name, value := range values {
		i := slices.IndexFunc(o.Fields, func(f field) bool { return f.Name == name })
		if i < 0 {
			wrong = append(wrong, where+" has no "+name)
			continue
		}
		var reasons []string
		fits := false
		for _, kind := range o.Fields[i].Types {
			why := d.fit(where+"."+name, kind, value)
			fits = fits || len(why) == 0
			reasons = append(reasons, why...)
		}
		if !fits {
			wrong = append(wrong, reasons...)
		}
	}
	for _, f := range o.Fields {
		_, said := values[f.Name]
		if f.Required && !said && (!slices.Contains(files, f.Name) || !slices.Contains(f.Types, "InputFile")) {
			wrong = append(wrong, where+" lacks "+f.Name)
		}
	}
	return wrong
}

// fit says why a value is not of a type.
func (d *description) fit(where, kind string, value any) []string {
	if text, ok := value.(formValue); ok {
		if kind == "String" {
			return nil
		}
		decoder := json.NewDecoder(strings.NewReader(string(text)))
		decoder.UseNumber()
		if err := decoder.Decode(&value); err != nil {
			return []string{fmt.Sprintf("%s is %q, and no %s", where, text, kind)}
		}
	}
	no := []string{fmt.Sprintf("%s is %v, and no %s", where, value, kind)}
	if items, ok := strings.CutPrefix(kind, "Array of "); ok {
		list, ok := value.([]any)
		if !ok {
			return no
		}
		var wrong []string
		for i, item := range list {
			wrong = append(wrong, d.item(where+"["+strconv.Itoa(i)+"]", items, item)...)
		}
		return wrong
	}
	ok := false
	switch kind {
	case "String":
		_, ok = value.(string)
	case "Boolean":
		_, ok = value.(bool)
	case "Integer":
		n, is := value.(json.Number)
		_, err := n.Int64()
		ok = is && err == nil
	default:
		o, known := d.Types[kind]
		values, is := value.(map[string]any)
		if known && is {
			return d.fields(where, o, values, nil)
		}
	}
	if ok {
		return nil
	}
	return no
}

// item holds one item of an album to the type that it says it is, and every other one to its own.
func (d *description) item(where, kind string, value any) []string {
	if item, ok := value.(map[string]any); ok && strings.HasPrefix(kind, "InputMedia") {
		name, _ := item["type"].(string)
		if name == "" || kind != "InputMedia"+strings.ToUpper(name[:1])+name[1:] {
			kind = "InputMedia" + strings.ToUpper(name[:min(1, len(name))]) + name[min(1, len(name)):]
		}
	}
	return d.fit(where, kind, value)
}
