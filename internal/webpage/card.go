package webpage

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/postrider/postrider/internal/linkcard"
	"github.com/postrider/postrider/internal/media"
)

// What the picture of a card is made to fit: the size at which networks show it, and what the strictest of them takes.
const (
	cardSide  = 1200      // pixels of the longer side
	cardBytes = 1_000_000 // Bluesky's limit
)

// Card is what a page gives for a file of its card.
type Card struct {
	linkcard.Page
	Data       []byte // the picture's; nil: there is none
	MIME       string
	PictureErr error // why there is none although the page names one
}

// Card reads a page and its picture. A picture that is larger than cards are shown becomes a smaller JPEG, the same one each time; any other is
// kept as it is. That the page cannot be read is the error.
func (r *Reader) Card(ctx context.Context, address string) (Card, error) {
	page, err := r.Page(ctx, address)
	if err != nil {
		return Card{}, err
	}
	c := Card{Page: page}
	if page.Picture == "" {
		return c, nil
	}
	c.Data, c.MIME, c.PictureErr = r.fitted(ctx, page.Picture)
	return c, nil
}

// fitted reads a picture and makes it fit.
func (r *Reader) fitted(ctx context.Context, address string) ([]byte, string, error) {
	data, err := r.Picture(ctx, address, maxPicture)
	if err != nil {
		return nil, "", err
	}
	info, err := media.ProbeBytes(data)
	switch {
	case err != nil:
		return nil, "", err
	case linkcard.Picture("card.yaml", info.MIME) == "":
		return nil, "", fmt.Errorf("it is %s: cards have JPEG, PNG, WebP or GIF pictures", strings.TrimPrefix(info.MIME, "image/"))
	case max(info.Width, info.Height) <= cardSide && info.Bytes <= cardBytes:
		return data, info.MIME, nil
	}
	k := min(1, cardSide/float64(max(info.Width, info.Height)))
	recipe := media.Recipe{
		Width: max(1, int(float64(info.Width)*k+0.5)), Height: max(1, int(float64(info.Height)*k+0.5)),
		MIME: "image/jpeg", MaxBytes: cardBytes, Version: media.Version,
	}
	out, err := media.Fit(data, recipe)
	if errors.Is(err, media.ErrMoves) {
		return nil, "", fmt.Errorf("it moves, and is too large as it is: %d×%d pixels, %d bytes", info.Width, info.Height, info.Bytes)
	}
	return out, recipe.MIME, err
}
