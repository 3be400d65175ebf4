package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/postrider/postrider/internal/measure"
	"github.com/postrider/postrider/internal/platform"
)

// maxLine bounds one line of `count --jsonl`, and maxInput what any verb reads from stdin.
const (
	maxLine  = 8 << 20
	maxInput = 64 << 20
)

func (a *app) countCommand() *cobra.Command {
	var o struct {
		json, jsonl bool
		platform    string
	}
	cmd := &cobra.Command{
		Use:     "count",
		GroupID: groupWrite,
		Short:   "Measure a text as every network does",
		Long: `Count reads a text from stdin and prints its length on every platform, counted as that
network counts it: X weighs characters and charges 23 for any address, Bluesky counts graphemes
and bytes, Mastodon charges 23 for an address and leaves the server out of mentions.

The text is taken as it is: it is no Markdown, nothing is added to it, and its blanks count.
Only one line break at its very end is dropped, because editors and "echo" leave one there.
The limits are the networks' defaults; "postrider render" counts a post with an account's own.`,
		Example: `  echo "Winter is here https://acme.example" | postrider count
  pbpaste | postrider count --platform x
  jq -c '.[].text' drafts.json | postrider count --jsonl`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := exclusive(cmd, "json", "jsonl"); err != nil {
				return err
			}
			infos := a.Registry.Infos()
			if o.platform != "" {
				info, err := a.platform(o.platform)
				if err != nil {
					return err
				}
				infos = []platform.Info{info}
			}
			if o.jsonl {
				return a.countLines(cmd.Context(), infos, o.platform != "")
			}
			text, err := a.readText(cmd.Context())
			if err != nil {
				return err
			}
			lengths := lengthsOf(infos, text)
			switch {
			case o.json:
				return a.printJSON(lengths)
			case o.platform != "":
				a.printf("%d\n", lengths.list[0].Used)
				return nil
			default:
				return a.countTable(infos, lengths)
			}
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.json, "json", false, "print one JSON object")
	f.BoolVar(&o.jsonl, "jsonl", false, "read one JSON string a line, print one result a line")
	f.StringVarP(&o.platform, "platform", "p", "", "count for `PLATFORM` only, and print the number alone")
	return cmd
}

// platform returns the platform called id, or a usage error that names the nearest one.
func (a *app) platform(id string) (platform.Info, error) {
	if info, ok := a.Registry.Info(platform.ID(id)); ok {
		return info, nil
	}
	var ids []string
	for _, info := range a.Registry.Infos() {
		ids = append(ids, string(info.ID))
	}
	return platform.Info{}, &usageError{msg: fmt.Sprintf("unknown platform %q", id), hint: suggestion(id, ids, oneOf("the platforms are", ids))}
}

// length is what a text takes on one platform: the shape that docs/JSON.md promises. Max 0 means that the
// platform has no limit.
type length struct {
	Used     int          `json:"used"`
	Max      int          `json:"max"`
	Unit     measure.Unit `json:"unit"`
	Bytes    *int         `json:"bytes,omitempty"` // where the network limits bytes as well
	MaxBytes int          `json:"max_bytes,omitempty"`
}

// lengths is what a text takes on several platforms, in the order of the registry.
type lengths struct {
	ids  []platform.ID
	list []length
}

// MarshalJSON implements [json.Marshaler].
func (l lengths) MarshalJSON() ([]byte, error) {
	byID := make(map[platform.ID]length, len(l.ids))
	for i, id := range l.ids {
		byID[id] = l.list[i]
	}
	return json.Marshal(map[string]any{"platforms": byID})
}

func lengthsOf(infos []platform.Info, text string) lengths {
	var l lengths
	for _, info := range infos {
		l.ids = append(l.ids, info.ID)
		l.list = append(l.list, lengthOf(info, text))
	}
	return l
}

// lengthOf measures a text by the rule and the default limits of a platform.
func lengthOf(info platform.Info, text string) length {
	n := length{Unit: measure.CodePoints}
	if info.Measure == nil {
		n.Used = measure.CountCodePoints(text)
		return n
	}
	n.Used = info.Measure(text)
	for _, limit := range info.Limits {
		switch limit.Name {
		case "text":
			n.Max, n.Unit = limit.Max, limit.Unit
		case "text_bytes":
			bytes := len(text)
			n.Bytes, n.MaxBytes = &bytes, limit.Max
		}
	}
	return n
}

// over reports whether the text is too long for the platform.
func (n length) over() bool {
	return n.Max > 0 && n.Used > n.Max || n.MaxBytes > 0 && *n.Bytes > n.MaxBytes
}

// countTable prints the lengths for people.
func (a *app) countTable(infos []platform.Info, l lengths) error {
	s := a.stdoutStyle()
	w := tabwriter.NewWriter(a.Stdout, 0, 0, 2, ' ', 0)
	for i, n := range l.list {
		line := fmt.Sprintf("%s\t%s %s", infos[i].Name, outOf(n.Used, n.Max), n.Unit)
		if n.Bytes != nil {
			line += fmt.Sprintf(", %s bytes", outOf(*n.Bytes, n.MaxBytes))
		}
		switch {
		case n.over():
			line += s.red("  too long")
		case n.Max > 0:
			line += s.dim(fmt.Sprintf("  %d left", n.Max-n.Used))
		}
		fmt.Fprintln(w, line) //nolint:errcheck // see stickyWriter
	}
	return w.Flush()
}

// outOf returns "17/280", or "17" where there is no limit.
func outOf(used, limit int) string {
	if limit == 0 {
		return fmt.Sprint(used)
	}
	return fmt.Sprintf("%d/%d", used, limit)
}

// countLines measures one JSON string a line.
func (a *app) countLines(ctx context.Context, infos []platform.Info, alone bool) error {
	out := bufio.NewWriter(a.Stdout)
	lines := bufio.NewScanner(&interruptibleReader{ctx: ctx, r: a.Stdin})
	lines.Buffer(nil, maxLine)
	e := json.NewEncoder(out)
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var text string
		if err := json.Unmarshal(lines.Bytes(), &text); err != nil {
			return errors.Join(out.Flush(), &usageError{
				msg:  fmt.Sprintf("line %d of the input is not a JSON string", n),
				hint: `each line is one text in double quotes, such as "Winter is here\n"`,
			})
		}
		var err error
		if l := lengthsOf(infos, text); alone {
			_, err = fmt.Fprintln(out, l.list[0].Used)
		} else {
			err = e.Encode(l)
		}
		if err != nil {
			return err
		}
	}
	err := lines.Err()
	if errors.Is(err, bufio.ErrTooLong) {
		err = &usageError{msg: fmt.Sprintf("a line of the input is longer than %d bytes", maxLine)}
	}
	return errors.Join(out.Flush(), err)
}

// readText reads stdin to its end and drops one line break there.
func (a *app) readText(ctx context.Context) (string, error) {
	if a.StdinTerminal {
		a.notef("reading the text from the terminal; end it with %s", a.stderrStyle().bold("Ctrl-D"))
	}
	src, err := io.ReadAll(io.LimitReader(&interruptibleReader{ctx: ctx, r: a.Stdin}, maxInput+1))
	switch {
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case err != nil:
		return "", fmt.Errorf("read stdin: %w", err)
	case len(src) > maxInput:
		return "", &usageError{msg: fmt.Sprintf("the input is larger than %d bytes", maxInput)}
	case !utf8.Valid(src):
		return "", &usageError{msg: "the input is not valid UTF-8", hint: "save it as UTF-8, or convert it with `iconv -t utf-8`"}
	}
	text, hasLine := strings.CutSuffix(string(src), "\n")
	if hasLine {
		text = strings.TrimSuffix(text, "\r")
	}
	return text, nil
}

// interruptibleReader reads until the context ends: a read from a terminal cannot be cancelled otherwise.
type interruptibleReader struct {
	ctx    context.Context
	r      io.Reader
	chunks chan chunk
	rest   chunk
}

type chunk struct {
	b   []byte
	err error
}

// Read implements [io.Reader].
func (i *interruptibleReader) Read(p []byte) (int, error) {
	if i.chunks == nil {
		i.chunks = make(chan chunk)
		go i.pump()
	}
	if len(i.rest.b) == 0 && i.rest.err == nil {
		select {
		case i.rest = <-i.chunks:
		case <-i.ctx.Done():
			return 0, context.Cause(i.ctx)
		}
	}
	n := copy(p, i.rest.b)
	i.rest.b = i.rest.b[n:]
	if len(i.rest.b) > 0 {
		return n, nil
	}
	return n, i.rest.err
}

func (i *interruptibleReader) pump() {
	for {
		b := make([]byte, 64<<10)
		n, err := i.r.Read(b)
		select {
		case i.chunks <- chunk{b[:n], err}:
		case <-i.ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}
