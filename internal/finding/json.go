package finding

import (
	"bytes"
	"encoding/json"
	"io"
)

// jsonFinding is the published shape of a finding. Fields may be added, never renamed or removed.
type jsonFinding struct {
	Code      Code     `json:"code"`
	Severity  Severity `json:"severity"`
	Path      string   `json:"path"`
	Line      int      `json:"line,omitempty"`
	Column    int      `json:"column,omitempty"`
	EndLine   int      `json:"end_line,omitempty"`
	EndColumn int      `json:"end_column,omitempty"`
	Post      string   `json:"post,omitempty"`
	Account   string   `json:"account,omitempty"`
	Message   string   `json:"message"`
	Hint      string   `json:"hint,omitempty"`
	Fix       *jsonFix `json:"fix,omitempty"`
}

type jsonFix struct {
	Text      string `json:"text"`
	Line      int    `json:"line"`
	Column    int    `json:"column"`
	EndLine   int    `json:"end_line"`
	EndColumn int    `json:"end_column"`
	Old       string `json:"old"`
	New       string `json:"new"`
}

// MarshalJSON implements [json.Marshaler] with the flat, lower-case shape that scripts rely on.
// Lines and columns count from 1, the end is exclusive, and what is not known is left out.
func (f Finding) MarshalJSON() ([]byte, error) {
	var fix *jsonFix
	if x := &f.Fix; x.Given() {
		fix = &jsonFix{x.Text, x.Range.Start.Line, x.Range.Start.Column, x.Range.End.Line, x.Range.End.Column, x.Old, x.New}
	}
	return marshal(jsonFinding{
		Code: f.Code, Severity: f.Severity, Path: f.Path,
		Line: f.Range.Start.Line, Column: f.Range.Start.Column,
		EndLine: f.Range.End.Line, EndColumn: f.Range.End.Column,
		Post: f.Post, Account: f.Account, Message: f.Message, Hint: f.Hint, Fix: fix,
	})
}

// MarshalJSON implements [json.Marshaler]: an array, also when the list is nil.
func (l List) MarshalJSON() ([]byte, error) {
	if l == nil {
		return []byte("[]"), nil
	}
	return marshal([]Finding(l))
}

// marshal is [json.Marshal], except that it leaves '<', '>' and '&' as they are unless whoever marshals the whole wants them escaped.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// WriteJSON writes the findings and the number of posts that were looked at as one JSON object and a line break.
func WriteJSON(w io.Writer, l List, posts int) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(struct {
		Findings List `json:"findings"`
		Posts    int  `json:"posts"`
	}{l, posts})
}
