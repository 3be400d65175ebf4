package finding

import (
	"bufio"
	"io"
	"strconv"
	"strings"
)

// WriteGitHub writes the findings as workflow commands, which GitHub and Gitea show as annotations on the
// lines of a pull request.
// https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#setting-an-error-message (2026-11-21)
func WriteGitHub(w io.Writer, l List) error {
	b := bufio.NewWriter(w)
	for _, f := range l {
		switch f.Severity {
		case Error:
			b.WriteString("::error ")
		case Warning:
			b.WriteString("::warning ")
		default:
			b.WriteString("::notice ")
		}
		b.WriteString("file=" + commandProperty.Replace(f.Path))
		// Without a line, GitHub puts the annotation on the file's first.
		for _, p := range [...]struct {
			name  string
			value int
		}{
			{"line", f.Range.Start.Line},
			{"endLine", f.Range.End.Line},
			{"col", f.Range.Start.Column},
			{"endColumn", f.Range.End.Column},
		} {
			if p.value > 0 {
				b.WriteString("," + p.name + "=" + strconv.Itoa(p.value))
			}
		}
		title := string(f.Code)
		if f.Account != "" {
			title += " (" + f.Account + ")"
		}
		message := f.Message
		if f.Hint != "" {
			message += "\n" + f.Hint
		}
		b.WriteString(",title=" + commandProperty.Replace(title) + "::" + commandData.Replace(message) + "\n")
	}
	return b.Flush()
}

// What the runner decodes: a raw line break or colon would end the command early.
var (
	commandData     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	commandProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)
