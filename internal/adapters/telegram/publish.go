package telegram

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/apihttp"
	"github.com/postrider/postrider/internal/secret"
)

// publisher sends to one chat.
type publisher struct {
	api   apihttp.Client
	deps  platform.Deps
	chat  chatRef
	links string
}

var (
	_ platform.Editor  = (*publisher)(nil)
	_ platform.Deleter = (*publisher)(nil)
	_ platform.Checker = (*publisher)(nil)
)

// Open implements [platform.Adapter].
func (Adapter) Open(a *platform.Account, d platform.Deps) (platform.Publisher, error) {
	o, err := platform.OptionsOf[Options](a)
	if err != nil {
		return nil, err
	}
	token, err := d.Secret(a, "BOT_TOKEN", "bot token")
	if err != nil {
		return nil, err
	}
	if !isToken(token.Reveal()) { // it becomes a part of addresses
		return nil, &platform.Error{
			Outcome: platform.Denied, Op: "open", Message: "the bot token is not one: it is a number, a colon, and letters, digits, _ and -",
			Hint: "copy it from @BotFather and set " + platform.EnvName(a.Name, "BOT_TOKEN"),
		}
	}
	_, key, _ := strings.Cut(token.Reveal(), ":")
	chat, _ := parseChat(o.Chat)
	return &publisher{
		deps: d, chat: chat, links: strings.TrimSuffix(o.Links, "/"),
		api: apihttp.Client{
			HTTP:    d.HTTP,
			Base:    strings.TrimSuffix(o.Server, "/") + "/bot" + token.Reveal(),
			Refine:  refine,
			Budget:  d.Budget,
			Timeout: d.Timeout,
			Log:     d.Log,
			Now:     d.Now,
			Secrets: []secret.String{token, secret.New(key)}, // an encoded colon does not hide it
		},
	}, nil
}

// isToken reports whether s can be a bot's token: https://core.telegram.org/bots/api#authorizing-your-bot (2026-11-22).
func isToken(s string) bool {
	id, key, _ := strings.Cut(s, ":")
	inKey := func(r rune) bool {
		return r|0x20 >= 'a' && r|0x20 <= 'z' || r >= '0' && r <= '9' || r == '_' || r == '-'
	}
	_, ok := parseNumber(id)
	return ok && len(key) >= 4 && strings.IndexFunc(key, func(r rune) bool { return !inKey(r) }) < 0
}

// Verify implements [platform.Publisher]: the account is the chat, to which the bot must be able to post. A token does not expire.
func (p *publisher) Verify(ctx context.Context) (platform.Identity, error) {
	var bot wireUser
	if err := p.read(ctx, "verify token", "getMe", nil, &bot); err != nil {
		return platform.Identity{}, err
	}
	var chat wireChat
	if err := p.read(ctx, "look up chat", "getChat", params{"chat_id": p.chat.value()}, &chat); err != nil {
		return platform.Identity{}, err
	}
	if bot.ID == 0 || chat.ID == 0 {
		return platform.Identity{}, &platform.Error{Outcome: platform.Unsent, Op: "verify token", Message: "the server does not say whose token it is"}
	}
	var member wireMember
	if err := p.read(ctx, "look up rights", "getChatMember", params{"chat_id": chat.ID, "user_id": bot.ID}, &member); err != nil {
		return platform.Identity{}, err
	}
	if why := member.cannotPost(&chat); why != "" {
		return platform.Identity{}, &platform.Error{
			Outcome: platform.Denied, Op: "look up rights", Message: fmt.Sprintf("the bot @%s %s", bot.Username, why), Hint: hintMember,
		}
	}
	id := platform.Identity{ID: strconv.FormatInt(chat.ID, 10), Handle: chat.Title, Scopes: member.rights()}
	if chat.Username != "" {
		id.Handle, id.URL = "@"+chat.Username, p.links+"/"+chat.Username
	}
	return id, nil
}

// Publish implements [platform.Publisher]. All files are read before the first part goes out, so that one that has changed does not
// leave half a thread behind; they are read again when their part's turn comes, so that only one part's are in memory.
func (p *publisher) Publish(ctx context.Context, r *platform.Rendering, a platform.Attempt) (platform.Receipt, error) {
	receipt := platform.Receipt{Parts: slices.Clone(a.Done), At: p.deps.Now()}
	for i := len(receipt.Parts); i < len(r.Parts); i++ {
		for _, m := range r.Parts[i].Media {
			if _, err := apihttp.ReadMedia(p.deps.Media, m); err != nil {
				return receipt, err
			}
		}
	}
	for i := len(receipt.Parts); i < len(r.Parts); i++ {
		answers, err := p.answers(r, i, receipt.Parts)
		if err != nil {
			return receipt, err
		}
		sent, err := p.create(ctx, r, i, answers)
		if err != nil {
			return receipt, err
		}
		receipt.Parts = append(receipt.Parts, p.remote(r, i, sent))
		receipt.At = time.Unix(sent[0].Date, 0).UTC()
	}
	return receipt, nil
}

const opCreate = "create message"

// answers returns the message that a part answers, nil when it answers none: the one before it, or that of `reply_to`.
func (p *publisher) answers(r *platform.Rendering, i int, done []platform.Remote) (*messageRef, error) {
	target := r.ReplyTo
	switch {
	case i > 0 && r.Parts[i].Comment:
		target = done[0].ID
	case i > 0:
		target = done[i-1].ID
	}
	if target == "" {
		return nil, nil
	}
	m, ok := parseMessage(target)
	if !ok {
		return nil, &platform.Error{Outcome: platform.Rejected, Op: opCreate, Message: fmt.Sprintf("%q names no message to answer", target), Hint: "write " + wantMessage}
	}
	if i > 0 {
		m.chat = chatRef{} // it is in this one, whatever the chat was called then
	}
	return &m, nil
}

// create makes one part, which several messages may be: an album has one for each file.
func (p *publisher) create(ctx context.Context, r *platform.Rendering, i int, answers *messageRef) ([]wireMessage, error) {
	part := &r.Parts[i]
	method, values, files := p.message(r, i, answers)
	for k := range files {
		data, err := apihttp.ReadMedia(p.deps.Media, part.Media[k])
		if err != nil {
			return nil, err
		}
		files[k].data = data
	}
	var sent []wireMessage
	var err error
	if method == "sendMediaGroup" {
		err = p.call(ctx, opCreate, method, values, files, true, &sent)
	} else {
		sent = make([]wireMessage, 1)
		err = p.call(ctx, opCreate, method, values, files, true, &sent[0])
	}
	if err != nil {
		return nil, err
	}
	unnamed := func(m wireMessage) bool { return m.ID <= 0 || m.Chat.ID >= 0 }
	if len(sent) != max(1, len(files)) || slices.ContainsFunc(sent, unnamed) {
		// https://core.telegram.org/bots/api#messageid: 0 is a message that the server has put off, and will send by itself.
		return nil, &platform.Error{
			Outcome: platform.Unknown, Op: opCreate, Message: "the answer does not name the message: Telegram may send it later",
			Hint: "look at the chat, then say what became of it with `postrider resolve`",
		}
	}
	return sent, nil
}

// message returns the request for a part, its files still without their bytes.
func (p *publisher) message(r *platform.Rendering, i int, answers *messageRef) (method string, values params, files []upload) {
	part := &r.Parts[i]
	values = params{"chat_id": p.chat.value()}
	for _, key := range [...]string{"message_thread_id", "disable_notification", "protect_content"} {
		if setting, ok := r.Settings[key]; ok {
			values[key] = json.RawMessage(setting)
		}
	}
	if answers != nil {
		reply := params{"message_id": answers.message}
		if answers.chat != (chatRef{}) && answers.chat != p.chat {
			reply["chat_id"] = answers.chat.value()
		}
		values["reply_parameters"] = reply
	}
	switch {
	case i == 0 && r.Poll != nil:
		pollValues(values, part, r.Poll)
		return "sendPoll", values, nil
	case len(part.Media) == 0:
		textValues(values, r, part)
		return "sendMessage", values, nil
	case len(part.Media) == 1:
		m := part.Media[0]
		k := kindOf(m.Sent().MIME)
		captionValues(values, part)
		maps.Copy(values, aboutFile(k, m, r.Sensitive))
		return "send" + strings.ToUpper(string(k[:1])) + string(k[1:]), values, []upload{{field: string(k), media: m}}
	}
	var album []params
	for n, m := range part.Media {
		k, field := kindOf(m.Sent().MIME), "file"+strconv.Itoa(n)
		item := params{"type": k, "media": "attach://" + field}
		if n == 0 {
			captionValues(item, part)
		}
		maps.Copy(item, aboutFile(k, m, r.Sensitive))
		album = append(album, item)
		files = append(files, upload{field: field, media: m})
	}
	values["media"] = album
	return "sendMediaGroup", values, files
}

// aboutFile returns what is said of a file of a kind.
func aboutFile(k kind, m platform.Media, veiled bool) params {
	about := params{}
	if veiled && (k == photo || k == video || k == animation) {
		about["has_spoiler"] = true
	}
	if k == video && m.Width > 0 && m.Height > 0 {
		about["width"], about["height"] = m.Width, m.Height
	}
	return about
}

func textValues(values params, r *platform.Rendering, part *platform.Part) {
	values["text"] = part.Text
	if list := entitiesOf(part); list != nil {
		values["entities"] = list
	}
	var show linkPreview
	if s := r.Settings["link_preview_options"]; s != "" {
		_ = json.Unmarshal([]byte(s), &show) // settings wrote it
	}
	if part.Card != nil && !show.Disabled {
		show.URL = part.Card.URL
	}
	if show != (linkPreview{}) {
		values["link_preview_options"] = show
	}
}

func captionValues(values params, part *platform.Part) {
	if part.Text == "" {
		return
	}
	values["caption"] = part.Text
	if list := entitiesOf(part); list != nil {
		values["caption_entities"] = list
	}
}

func pollValues(values params, part *platform.Part, poll *platform.Poll) {
	options := make([]params, len(poll.Options))
	for i, text := range poll.Options {
		options[i] = params{"text": text}
	}
	values["question"], values["options"] = part.Text, options
	values["open_period"] = int64(poll.Duration / time.Second)
	if poll.Multiple {
		values["allows_multiple_answers"] = true
	}
	if poll.HideTotals {
		values["hide_results_until_closes"] = true
	}
}

// remote returns the record of a part. Its version has the numbers of all its messages, and what an edit cannot change, as a hash.
func (p *publisher) remote(r *platform.Rendering, i int, sent []wireMessage) platform.Remote {
	first := &sent[0]
	numbers := make([]string, len(sent))
	for k := range sent {
		numbers[k] = strconv.FormatInt(sent[k].ID, 10)
	}
	return platform.Remote{
		ID: messageRef{chatRef{id: first.Chat.ID}, first.ID}.id(), URL: address(p.links, &first.Chat, first.ID), Part: i,
		Version: strings.Join(numbers, ",") + "/" + fixed(r, i),
	}
}

// fixed returns a hash of all that Telegram cannot change in a message once it is out.
func fixed(r *platform.Rendering, i int) string {
	part := &r.Parts[i]
	type file struct {
		Digest string
		Fit    *platform.Fit
	}
	state := struct {
		ReplyTo, Topic, Protect string
		Files                   []file
		Veiled                  bool
		Question                string
		Poll                    *platform.Poll
	}{Topic: r.Settings["message_thread_id"], Protect: r.Settings["protect_content"]}
	if i == 0 {
		state.ReplyTo = r.ReplyTo
		if r.Poll != nil {
			state.Question, state.Poll = part.Text, r.Poll
		}
	}
	for _, m := range part.Media {
		state.Files = append(state.Files, file{m.Digest, m.Fit})
		state.Veiled = r.Sensitive
	}
	encoded, err := json.Marshal(state)
	if err != nil {
		panic("telegram: texts and numbers always marshal: " + err.Error())
	}
	sum := sha256.Sum256(encoded)
	return hex.EncodeToString(sum[:8])
}
