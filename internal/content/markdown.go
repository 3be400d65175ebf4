package content

import (
	"bytes"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// newMarkdown returns the Markdown parser: CommonMark with tables, strikethrough and audience blocks.
//
// A line of dashes is always a thread break, also directly under text, where CommonMark sees a
// heading. Bare addresses stay text, since each network finds them by rules of its own.
func newMarkdown() parser.Parser {
	p := parser.NewParser(
		parser.WithBlockParsers(
			util.Prioritized(audienceParser{}, 50),
			util.Prioritized(equalsHeadingParser{parser.NewSetextHeadingParser()}, 100),
			util.Prioritized(parser.NewThematicBreakParser(), 200),
			util.Prioritized(parser.NewListParser(), 300),
			util.Prioritized(parser.NewListItemParser(), 400),
			util.Prioritized(parser.NewCodeBlockParser(), 500),
			util.Prioritized(parser.NewATXHeadingParser(), 600),
			util.Prioritized(parser.NewFencedCodeBlockParser(), 700),
			util.Prioritized(parser.NewBlockquoteParser(), 800),
			util.Prioritized(parser.NewHTMLBlockParser(), 900),
			util.Prioritized(parser.NewParagraphParser(), 1000),
		),
		parser.WithInlineParsers(append(parser.DefaultInlineParsers(), util.Prioritized(verbatimParser{}, 600))...),
		parser.WithParagraphTransformers(parser.DefaultParagraphTransformers()...),
	)
	return goldmark.New(goldmark.WithParser(p), goldmark.WithExtensions(extension.Table, extension.Strikethrough)).Parser()
}

// equalsHeadingParser reads headings underlined with =, and leaves - to the thread breaks.
type equalsHeadingParser struct{ parser.BlockParser }

// Trigger implements [parser.BlockParser].
func (equalsHeadingParser) Trigger() []byte { return []byte{'='} }

// audience is a block for some platforms or accounts:
//
//	::: x linkedin
//	Only they get this.
//	:::
type audience struct {
	ast.BaseBlock
	words      []string
	start, end int // of the opening line
	closed     bool
	stray      bool // a ::: that closes nothing
}

var kindAudience = ast.NewNodeKind("Audience")

// Kind implements [ast.Node].
func (*audience) Kind() ast.NodeKind { return kindAudience }

// Dump implements [ast.Node].
func (a *audience) Dump(source []byte, level int) { ast.DumpHelper(a, source, level, nil, nil) }

type audienceParser struct{}

// Trigger implements [parser.BlockParser].
func (audienceParser) Trigger() []byte { return []byte{':'} }

// Open implements [parser.BlockParser].
func (audienceParser) Open(_ ast.Node, reader text.Reader, pc parser.Context) (ast.Node, parser.State) {
	line, segment := reader.PeekLine()
	pos := pc.BlockOffset()
	if pos < 0 || !bytes.HasPrefix(line[pos:], []byte(":::")) {
		return nil, parser.NoChildren
	}
	content := bytes.TrimRight(line, " \t\r\n")
	a := &audience{
		words: strings.FieldsFunc(string(bytes.TrimLeft(content[pos:], ":")), func(r rune) bool { return r == ' ' || r == '\t' || r == ',' }),
		start: segment.Start + pos,
		end:   segment.Start + len(content),
	}
	reader.AdvanceToEOL()
	if len(a.words) == 0 {
		a.stray = true
		return a, parser.NoChildren
	}
	return a, parser.HasChildren
}

// Continue implements [parser.BlockParser].
func (audienceParser) Continue(node ast.Node, reader text.Reader, pc parser.Context) parser.State {
	a := node.(*audience)
	if a.stray {
		return parser.Close
	}
	line, _ := reader.PeekLine()
	indent, pos := util.IndentWidth(line, reader.LineOffset())
	if indent > 3 || pos >= len(line) || !isCloser(line[pos:]) || a.shielded(pc) {
		return parser.Continue | parser.HasChildren
	}
	a.closed = true
	reader.AdvanceToEOL()
	return parser.Close
}

func isCloser(line []byte) bool {
	line = bytes.TrimRight(line, " \t\r\n")
	return len(line) >= 3 && len(bytes.Trim(line, ":")) == 0
}

// shielded reports whether a ::: inside a belongs to something else: a block of code, or an audience in a.
func (a *audience) shielded(pc parser.Context) bool {
	inside := false
	for _, b := range pc.OpenedBlocks() {
		if inside {
			if other, ok := b.Node.(*audience); ok && !other.stray || b.Node.Kind() == ast.KindFencedCodeBlock {
				return true
			}
		}
		inside = inside || b.Node == ast.Node(a)
	}
	return false
}

// Close implements [parser.BlockParser].
func (audienceParser) Close(ast.Node, text.Reader, parser.Context) {}

// CanInterruptParagraph implements [parser.BlockParser].
func (audienceParser) CanInterruptParagraph() bool { return true }

// CanAcceptIndentedLine implements [parser.BlockParser].
func (audienceParser) CanAcceptIndentedLine() bool { return false }
