package telegram

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/apihttp"
)

// The objects of the API, as far as they matter here: https://core.telegram.org/bots/api#available-types (2026-11-22).

type wireUser struct {
	ID       int64  `json:"id"`
	Username string `json:"username"`
}

type wireChat struct {
	ID       int64  `json:"id"`
	Type     string `json:"type"`
	Title    string `json:"title"`
	Username string `json:"username"`
}

type wireMessage struct {
	ID       int64    `json:"message_id"`
	Date     int64    `json:"date"`
	EditDate int64    `json:"edit_date"`
	Chat     wireChat `json:"chat"`
}

type wireMember struct {
	Status  string `json:"status"`
	CanPost bool   `json:"can_post_messages"` // of administrators of channels
	CanSend bool   `json:"can_send_messages"` // of restricted members
	CanEdit bool   `json:"can_edit_messages"` // of administrators: what others have posted
	CanDrop bool   `json:"can_delete_messages"`
}

// rights are what the bot is in the chat, and what it may do as that.
func (m *wireMember) rights() []string {
	rights := []string{m.Status}
	for name, has := range map[string]bool{
		"can_post_messages": m.CanPost, "can_send_messages": m.CanSend, "can_edit_messages": m.CanEdit, "can_delete_messages": m.CanDrop,
	} {
		if has {
			rights = append(rights, name)
		}
	}
	slices.Sort(rights)
	return rights
}

// cannotPost says why the member cannot post to the chat, "" when it can.
func (m *wireMember) cannotPost(chat *wireChat) string {
	switch {
	case m.Status == "creator":
	case chat.Type == "channel" && m.Status != "administrator":
		return "is no administrator of the channel"
	case chat.Type == "channel" && !m.CanPost:
		return "may not post messages in the channel"
	case m.Status == "left" || m.Status == "kicked":
		return "is not in the group"
	case m.Status == "restricted" && !m.CanSend:
		return "may not send messages in the group"
	}
	return ""
}

// params are the arguments of a method.
type params map[string]any

// upload is one file of a request.
type upload struct {
	field string
	media platform.Media
	data  []byte
}

// read calls a method that changes nothing.
func (p *publisher) read(ctx context.Context, op, method string, values params, out any) error {
	return p.call(ctx, op, method, values, nil, false, out)
}

// call calls a method and decodes its result into out, unless out is nil. It is always a POST, so that no redirect is followed: the
// token is part of the address.
func (p *publisher) call(ctx context.Context, op, method string, values params, files []upload, creates bool, out any) error {
	request := apihttp.Request{Op: op, Method: http.MethodPost, Path: "/" + method, Creates: creates}
	if len(files) == 0 {
		if values == nil {
			values = params{}
		}
		request.JSON = values
	} else {
		body, contentType, err := encode(values, files)
		if err != nil {
			return &platform.Error{Outcome: platform.Unsent, Op: op, Err: err}
		}
		request.Data, request.ContentType = body, contentType
	}
	envelope := struct {
		OK     bool            `json:"ok"`
		Result json.RawMessage `json:"result"`
	}{}
	resp, err := p.api.Do(ctx, request, &envelope)
	if err != nil {
		return err
	}
	if envelope.OK && (out == nil || json.Unmarshal(envelope.Result, out) == nil) {
		return nil
	}
	e := &platform.Error{Outcome: platform.Unsent, Op: op, Status: resp.Status, Message: "the answer is not what the API promises"}
	if creates {
		e.Outcome = platform.Unknown
	}
	return e
}

// encode returns a multipart body of arguments and files, in which what is not text is JSON.
// https://core.telegram.org/bots/api#making-requests (2026-11-22)
func encode(values params, files []upload) ([]byte, string, error) {
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for _, key := range slices.Sorted(maps.Keys(values)) { // always the same bytes
		text, ok := values[key].(string)
		if !ok {
			encoded, err := apihttp.EncodeJSON(values[key])
			if err != nil {
				return nil, "", err
			}
			text = string(encoded)
		}
		if err := w.WriteField(key, text); err != nil {
			return nil, "", err
		}
	}
	for _, f := range files {
		part, err := w.CreatePart(textproto.MIMEHeader{
			"Content-Disposition": {multipart.FileContentDisposition(f.field, path.Base(f.media.Path))},
			"Content-Type":        {f.media.Sent().MIME},
		})
		if err != nil {
			return nil, "", err
		}
		if _, err := part.Write(f.data); err != nil {
			return nil, "", err
		}
	}
	if err := w.Close(); err != nil {
		return nil, "", err
	}
	return body.Bytes(), w.FormDataContentType(), nil
}

const (
	hintMember = "make the bot an administrator of the channel with the right to post messages, or a member of the group that may send them"
	hintToken  = "the bot token is wrong or was revoked: @BotFather shows it (/mybots, API Token); set it again" //nolint:gosec // no token
)

// refine reads the API's errors. What a person can mend in Telegram or in site.yaml is Denied, although the API calls most of it a bad
// request. The API numbers its errors like HTTP does and explains them in words only, which
// https://core.telegram.org/bots/api#making-requests says may change: what is not known stays Rejected.
func refine(e *platform.Error, r *apihttp.Response) {
	var answer struct {
		Description string `json:"description"`
		Parameters  struct {
			RetryAfter int64 `json:"retry_after"`
			MigrateTo  int64 `json:"migrate_to_chat_id"`
		} `json:"parameters"`
	}
	if json.Unmarshal(r.Body, &answer) != nil {
		return
	}
	if answer.Description != "" {
		e.Message = answer.Description
	}
	if wait := answer.Parameters.RetryAfter; wait > 0 && e.Outcome == platform.Limited {
		e.RetryAfter = time.Duration(min(wait, int64(24*time.Hour/time.Second))) * time.Second
	}
	deny := func(hint string) { e.Outcome, e.Hint = platform.Denied, hint }
	words := strings.ToLower(e.Message)
	has := func(any ...string) bool {
		for _, s := range any {
			if strings.Contains(words, s) {
				return true
			}
		}
		return false
	}
	switch {
	case e.Status == http.StatusUnauthorized, e.Status == http.StatusNotFound && words == "not found": // of a method or a token
		deny(hintToken)
	case e.Status == http.StatusForbidden:
		deny(hintMember)
	case e.Status != http.StatusBadRequest:
	case answer.Parameters.MigrateTo != 0:
		deny(fmt.Sprintf("the group has another id now: write chat: \"%d\" into site.yaml", answer.Parameters.MigrateTo))
	case has("chat not found"):
		deny("is `chat` in site.yaml right, and is the bot in that chat?")
	case has("not enough rights", "have no rights", "need administrator rights", "chat_write_forbidden", "chat_admin_required", "chat_restricted", "user_banned_in_channel", "channel_private"):
		deny(hintMember)
	case has("thread not found", "topic_closed", "topic_deleted", "topic_id_invalid"):
		deny("is `topic` in site.yaml right, and is the topic open?")
	case has("message to be replied not found", "message to reply not found", "replied message not found"):
		e.Hint = "what it answers is gone, or the bot cannot see it"
	}
}
