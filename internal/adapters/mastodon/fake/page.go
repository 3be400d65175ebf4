package fake

import (
	"html/template"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// page shows the public timeline, an account or one status to people with a browser.
func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	user, named := strings.CutPrefix(r.PathValue("user"), "@")
	if r.PathValue("user") != "" && !named {
		s.notFound().write(w)
		return
	}
	type view struct {
		User, URL, Time, Spoiler, Visibility string
		Content                              template.HTML
		Reply                                bool
		Poll                                 []string
		Media                                []struct{ URL, Alt string }
	}
	var views []view
	s.mu.Lock()
	for _, st := range slices.Backward(s.statuses) {
		// GoToSocial has no page for what is unlisted.
		hidden := st.visibility != "public" && (st.visibility != "unlisted" || s.config.GoToSocial)
		id := r.PathValue("id")
		if hidden || named && st.user != user || id != "" && st.id != id {
			continue
		}
		v := view{
			User: st.user, URL: s.statusURL(st), Time: st.created.Format("2006-01-02 15:04"), Spoiler: st.spoiler, Visibility: st.visibility,
			Content: template.HTML(s.html(st.text)), //nolint:gosec // made and escaped here
			Reply:   st.replyTo != "",
		}
		if st.poll != nil {
			v.Poll = st.poll.options
		}
		for _, m := range st.media {
			v.Media = append(v.Media, struct{ URL, Alt string }{s.fileURL(m), m.description})
		}
		views = append(views, v)
	}
	s.mu.Unlock()
	if r.PathValue("id") != "" && len(views) == 0 {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'")
	pageTemplate().Execute(w, map[string]any{"Title": s.host(), "Posts": views}) //nolint:errcheck // the client has gone
}

var pageTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{{.Title}}</title>
<meta name="viewport" content="width=device-width">
<style>
body{font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:2rem auto;padding:0 1rem;background:#f4f4f8;color:#17161f}
article{background:#fff;border:1px solid #d9d9e3;border-radius:8px;padding:1rem;margin:1rem 0;overflow-wrap:anywhere}
img{max-width:100%;border-radius:4px}a{color:#4b3fcf}.invisible{font-size:0}.ellipsis::after{content:"…"}small{color:#5b5a66}
</style>
<h1>{{.Title}}</h1>
{{range .Posts}}<article>
<small><b>@{{.User}}</b> · <a href="{{.URL}}">{{.Time}}</a> · {{.Visibility}}{{if .Reply}} · reply{{end}}</small>
{{with .Spoiler}}<p><strong>{{.}}</strong></p>{{end}}{{.Content}}
{{with .Poll}}<ul>{{range .}}<li>{{.}}</li>{{end}}</ul>{{end}}
{{range .Media}}<figure><img src="{{.URL}}" alt="{{.Alt}}"><figcaption><small>{{.Alt}}</small></figcaption></figure>{{end}}
</article>
{{else}}<p>Nothing here yet.</p>
{{end}}</html>
`))
})
