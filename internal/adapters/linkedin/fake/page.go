package fake

import (
	"html/template"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/postrider/postrider/internal/platform/fakenet"
)

// page shows all public posts, or one with its comments, to people with a browser.
func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	type view struct {
		fakenet.Post
		Pictures, Files []fakenet.Media
	}
	var views []view
	one := r.PathValue("urn")
	for _, p := range slices.Backward(s.Posts()) {
		if p.Visibility == "CONNECTIONS" || one != "" && p.ID != one && p.Parent != one {
			continue
		}
		v := view{Post: p}
		for _, m := range p.Media {
			if strings.HasPrefix(m.MIME, "image/") {
				v.Pictures = append(v.Pictures, m)
			} else {
				v.Files = append(v.Files, m)
			}
		}
		views = append(views, v)
	}
	if one != "" && len(views) == 0 {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'")
	pageTemplate().Execute(w, views) //nolint:errcheck // the client has gone
}

var pageTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><title>A stand-in for LinkedIn</title>
<meta name="viewport" content="width=device-width">
<style>
body{font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:2rem auto;padding:0 1rem;background:#f4f2ee;color:#191919}
article{background:#fff;border:1px solid #d9d9d9;border-radius:8px;padding:1rem;margin:1rem 0;overflow-wrap:anywhere}
p{white-space:pre-wrap}img{max-width:100%;border-radius:4px}a{color:#0a66c2}small{color:#5b5b5b}
</style>
<h1>A stand-in for LinkedIn</h1>
{{range .}}<article>
<small><b>{{.Account}}</b> · <a href="{{.URL}}">{{.Created.Format "2006-01-02 15:04"}}</a>{{if .Edited}} · edited{{end}}{{if .Parent}} · comment{{end}}</small>
<p>{{.Text}}</p>
{{with .Title}}<p><strong>{{.}}</strong></p>{{end}}
{{with .Poll}}<ul>{{range .}}<li>{{.}}</li>{{end}}</ul>{{end}}
{{range .Pictures}}<figure><img src="{{.URL}}" alt="{{.Alt}}"><figcaption><small>{{.Alt}}</small></figcaption></figure>{{end}}
{{range .Files}}<p><a href="{{.URL}}">{{.MIME}}</a></p>{{end}}
{{with .Card}}<blockquote><a href="{{.URL}}">{{.Title}}</a><br>{{.Description}}</blockquote>{{end}}
</article>
{{else}}<p>Nothing here yet.</p>
{{end}}</html>
`))
})
