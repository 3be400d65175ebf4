package post

import "slices"

// Doc is a piece of rich text that belongs to no platform yet: the blocks of one part of a thread.
// Every node knows where in the file it came from, so that what a network shows can be traced back.
type Doc struct {
	Blocks []Block
	Span   Span
}

// BlockKind tells the kinds of block apart.
type BlockKind uint8

// The kinds of block.
const (
	Paragraph  BlockKind = iota // Inlines
	Heading                     // Inlines, Level 1–6
	List                        // Blocks, each an Item; Ordered, Level is the first number
	Item                        // Blocks
	Quote                       // Blocks
	CodeBlock                   // Text, Info is the language
	Audience                    // Blocks, Names, Except: only for, or not for, some accounts
	RawHTML                     // Text; never a comment, those are notes
	TableBlock                  // Blocks, each a TableRow; the first is the header
	TableRow                    // Blocks, each a TableCell
	TableCell                   // Inlines
)

// Block is a paragraph or something of that size.
type Block struct {
	Kind    BlockKind
	Ordered bool
	Tight   bool // a list without blank lines between its items
	Except  bool // of an Audience: for everybody but Names
	Level   int
	Names   []string
	Info    string
	Text    string
	Inlines []Inline
	Blocks  []Block
	Span    Span
}

// InlineKind tells the kinds of inline apart.
type InlineKind uint8

// The kinds of inline.
const (
	Text          InlineKind = iota // Text, with Markdown's escapes and entities resolved
	SoftBreak                       // a line break in the source
	HardBreak                       // a line break that Markdown insists on
	Emphasis                        // Inlines
	Strong                          // Inlines
	Strikethrough                   // Inlines
	CodeSpan                        // Text
	Link                            // Inlines are its words, Dest its address
	AutoLink                        // Dest and Text: <https://…>, or an address in the text as it stands
	Image                           // Media; Text is the alt text
	InlineHTML                      // Text; never a comment
)

// Inline is a piece of a paragraph.
type Inline struct {
	Kind    InlineKind
	Text    string
	Dest    string
	Title   string
	Media   *Media // of an Image
	Inlines []Inline
	Span    Span
}

// keep returns the doc as account sees it: Audience blocks that name it are replaced by what they
// hold, the others are gone. Docs without any are returned as they are, sharing their blocks.
func (d Doc) keep(account, platform string) Doc {
	if slices.ContainsFunc(d.Blocks, func(b Block) bool { return b.Kind == Audience }) {
		d.Blocks = keepBlocks(nil, d.Blocks, account, platform)
	}
	return d
}

func keepBlocks(dst, blocks []Block, account, platform string) []Block {
	for _, b := range blocks {
		if b.Kind != Audience {
			dst = append(dst, b)
			continue
		}
		named := slices.Contains(b.Names, account) || slices.Contains(b.Names, platform)
		if named != b.Except {
			dst = keepBlocks(dst, b.Blocks, account, platform)
		}
	}
	return dst
}

// Images returns the doc's images in order, those in Audience blocks included.
func (d Doc) Images() []Media { return d.images(nil) }

// images appends the doc's images to list, in order.
func (d Doc) images(list []Media) []Media {
	for i := range d.Blocks {
		list = blockImages(list, &d.Blocks[i])
	}
	return list
}

func blockImages(list []Media, b *Block) []Media {
	list = inlineImages(list, b.Inlines)
	for i := range b.Blocks {
		list = blockImages(list, &b.Blocks[i])
	}
	return list
}

func inlineImages(list []Media, inlines []Inline) []Media {
	for i := range inlines {
		in := &inlines[i]
		if in.Kind == Image && in.Media != nil {
			list = append(list, *in.Media)
		}
		list = inlineImages(list, in.Inlines)
	}
	return list
}
