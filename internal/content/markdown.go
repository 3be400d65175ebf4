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
			util.Prioritized(shallowParser{parser.NewListParser()}, 300),
			util.Prioritized(shallowParser{parser.NewListItemParser()}, 400),
			util.Prioritized(parser.NewCodeBlockParser(), 500),
			util.Prioritized(parser.NewATXHeadingParser(), 600),
			util.Prioritized(parser.NewFencedCodeBlockParser(), 700),
			util.Prioritized(shallowParser{parser.NewBlockquoteParser()}, 800),
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

// shallowParser opens no more blocks inside each other than a person would, since what is deeper takes
// time by the square of its depth.
type shallowParser struct{ parser.BlockParser }

const maxNesting = 100

// Open implements [parser.BlockParser].
func (p shallowParser) Open(parent ast.Node, reader text.Reader, pc parser.Context) (ast.Node, parser.State) {
	if len(pc.OpenedBlocks()) > maxNesting {
		return nil, parser.NoChildren
	}
	return p.BlockParser.Open(parent, reader, pc)
}

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
	nested     bool // it stands inside another one
	inner      int  // how many nested ones are open
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
func (audienceParser) Open(parent ast.Node, reader text.Reader, pc parser.Context) (ast.Node, parser.State) {
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
	if outer := audienceOf(parent); outer != nil { // an error: all that matters is where it ends
		outer.inner++
		a.nested = true
		return a, parser.NoChildren
	}
	return a, parser.HasChildren
}

// audienceOf returns the audience that n is or stands in.
func audienceOf(n ast.Node) *audience {
	for ; n != nil; n = n.Parent() {
		if a, ok := n.(*audience); ok {
			return a
		}
	}
	return nil
}

// Continue implements [parser.BlockParser].
func (audienceParser) Continue(node ast.Node, reader text.Reader, pc parser.Context) parser.State {
	a := node.(*audience)
	if a.stray || a.nested {
		return parser.Close
	}
	line, _ := reader.PeekLine()
	indent, pos := util.IndentWidth(line, reader.LineOffset())
	if indent > 3 || pos >= len(line) || !isCloser(line[pos:]) || inFence(pc) {
		return parser.Continue | parser.HasChildren
	}
	if a.inner > 0 {
		a.inner--
		reader.AdvanceToEOL()
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

// inFence reports whether the innermost block is one of code, where a ::: is code too.
func inFence(pc parser.Context) bool {
	last := pc.LastOpenedBlock().Node
	return last != nil && last.Kind() == ast.KindFencedCodeBlock
}

// Close implements [parser.BlockParser].
func (audienceParser) Close(ast.Node, text.Reader, parser.Context) {}

// CanInterruptParagraph implements [parser.BlockParser].
func (audienceParser) CanInterruptParagraph() bool { return true }

// CanAcceptIndentedLine implements [parser.BlockParser].
func (audienceParser) CanAcceptIndentedLine() bool { return false }
