package fake

import (
	"html/template"
	"net/http"
	"slices"
	"sync"

	"github.com/postrider/postrider/internal/platform/fakenet"
)

// page shows all posts, or one, to people with a browser.
func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	posts := s.Posts()
	if id := r.PathValue("id"); id != "" {
		posts = slices.DeleteFunc(posts, func(p fakenet.Post) bool { return p.ID != id })
		if len(posts) == 0 {
			http.NotFound(w, r)
			return
		}
	}
	slices.Reverse(posts)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'")
	pageTemplate().Execute(w, posts) //nolint:errcheck // the client has gone
}

var pageTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><title>X</title>
<meta name="viewport" content="width=device-width">
<style>
body{font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:2rem auto;padding:0 1rem;background:#fff;color:#0f1419}
article{border:1px solid #cfd9de;border-radius:8px;padding:1rem;margin:1rem 0;overflow-wrap:anywhere}
p{white-space:pre-wrap}img{max-width:100%;border-radius:4px}a{color:#0b65a8}small{color:#536471}
</style>
<h1>X</h1>
{{range .}}<article>
<small><b>{{.Account}}</b> · <a href="{{.URL}}">{{.Created.Format "2006-01-02 15:04"}}</a>{{if .Parent}} · reply{{end}}</small>
<p>{{.Text}}</p>
{{with .Poll}}<ul>{{range .}}<li>{{.}}</li>{{end}}</ul>{{end}}
{{range .Media}}<figure><img src="{{.URL}}" alt="{{.Alt}}"><figcaption><small>{{.Alt}}</small></figcaption></figure>{{end}}
</article>
{{else}}<p>Nothing here yet.</p>
{{end}}</html>
`))
})
