package fake

import (
	"html/template"
	"net/http"
	"slices"

	"github.com/postrider/postrider/internal/platform/fakenet"
)

// pageTemplate is made for every page anew: nobody but a person asks for one.
const pageTemplate = `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{{.Name}}</title>
<style>body{font:1rem/1.5 system-ui;max-width:36rem;margin:2rem auto;padding:0 1rem;background:#f0f2f5;color:#1c1e21}
article{background:#fff;border-radius:8px;padding:1rem;margin:1rem 0}article article{background:#f0f2f5}p{white-space:pre-wrap;overflow-wrap:anywhere}img{max-width:100%}</style>
<h1>{{.Name}}</h1>
{{range .Posts}}<article><small><a href="{{.URL}}">{{.Created.Format "2006-01-02 15:04"}}</a>{{if .Edited}} · edited{{end}}</small>
<p>{{.Text}}</p>
{{range .Media}}<img src="{{.URL}}" alt="{{.Alt}}">{{end}}
{{with .Card}}<p><a href="{{.URL}}">{{.URL}}</a></p>{{end}}
{{range .Comments}}<article><p>{{.Text}}</p>{{range .Media}}<img src="{{.URL}}" alt="{{.Alt}}">{{end}}</article>
{{end}}</article>
{{else}}<p>Nothing here yet.</p>
{{end}}</html>
`

// page shows all posts, newest first, or one of them, with their comments.
func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	type post struct {
		fakenet.Post
		Comments []fakenet.Post
	}
	var shown []post
	all := s.Posts()
	for _, p := range slices.Backward(all) {
		if p.Parent != "" || r.PathValue("id") != "" && r.PathValue("id") != p.ID {
			continue
		}
		view := post{Post: p}
		for _, c := range all {
			if c.Parent == p.ID {
				view.Comments = append(view.Comments, c)
			}
		}
		shown = append(shown, view)
	}
	if shown == nil && r.PathValue("id") != "" {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'")
	template.Must(template.New("").Parse(pageTemplate)).Execute(w, map[string]any{"Name": s.config.Name, "Posts": shown}) //nolint:errcheck // the client may be gone
}
