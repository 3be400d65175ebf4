package bluesky

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/webpage"
)

// page is what a link card says of a web page.
type page struct {
	title, description string
	image              []byte
	mime               string
}

// pageTimeout bounds reading a page and its picture.
const pageTimeout = 10 * time.Second

// readPage reads the words and the picture of a link card off its page. A page that cannot be read
// gives a card with the address for a title: a link is no reason to hold a post back. Each page is
// read once, however many parts of a thread link to it.
func (p *publisher) readPage(ctx context.Context, address string) page {
	if pg, ok := p.pages[address]; ok {
		return pg
	}
	ctx, cancel := context.WithTimeout(ctx, pageTimeout)
	defer cancel()
	pg, err := p.fetchPage(ctx, address)
	if err != nil && p.deps.Log != nil {
		p.deps.Log.WarnContext(ctx, "the link card is incomplete: its page cannot be read", "url", address, "error", err.Error())
	}
	if pg.title == "" {
		pg.title = address
	}
	if p.pages == nil {
		p.pages = map[string]page{}
	}
	p.pages[address] = pg
	return pg
}

func (p *publisher) fetchPage(ctx context.Context, address string) (page, error) {
	web, err := webpage.New(cmp.Or(p.deps.Web, p.deps.HTTP).Transport, p.deps.AllowPrivate)
	if err != nil {
		return page{}, err
	}
	found, err := web.Page(ctx, address)
	pg := page{title: found.Title, description: found.Description}
	if err != nil || found.Picture == "" {
		return pg, err
	}
	data, err := web.Picture(ctx, found.Picture, maxThumbBytes)
	if err != nil {
		return pg, fmt.Errorf("its picture: %w", err)
	}
	if mime := http.DetectContentType(data); strings.HasPrefix(mime, "image/") {
		pg.image, pg.mime = data, mime
	}
	return pg, nil
}

// cardIn returns the link card of a record that exists, nil if it has none.
func cardIn(present *stored) *link {
	if present == nil {
		return nil
	}
	var embed struct {
		External *link `json:"external"`
		Media    struct {
			External *link `json:"external"`
		} `json:"media"`
	}
	if json.Unmarshal(present.Value.Embed, &embed) != nil {
		return nil
	}
	if embed.External != nil {
		return embed.External
	}
	return embed.Media.External
}
