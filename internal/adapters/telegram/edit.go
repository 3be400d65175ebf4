package telegram

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/platform"
)

const opEdit = "edit message"

// Edit implements [platform.Editor]: words and formatting can be changed, and nothing else. All that cannot be expressed is found
// before the first change. https://core.telegram.org/bots/api#updating-messages (2026-11-22)
func (p *publisher) Edit(ctx context.Context, old platform.Receipt, r *platform.Rendering) (platform.Receipt, error) {
	receipt := platform.Receipt{Parts: slices.Clone(old.Parts), At: old.At}
	if len(old.Parts) != len(r.Parts) {
		return receipt, cannotEdit("the thread had %d parts and now has %d", len(old.Parts), len(r.Parts))
	}
	messages := make([][]messageRef, len(old.Parts))
	for i, remote := range old.Parts {
		list, err := p.messages(opEdit, remote)
		if err != nil {
			return receipt, err
		}
		messages[i] = list
		if _, was, known := strings.Cut(remote.Version, "/"); known && was != fixed(r, i) {
			return receipt, cannotEdit("only the words of a message can be changed, and something else of part %d is new: its files, its poll, its topic, its protection, or what it answers", i+1)
		}
	}
	for i := range r.Parts {
		if i == 0 && r.Poll != nil {
			continue // it is as it was
		}
		edited, err := p.edit(ctx, messages[i][0], r, &r.Parts[i])
		if err != nil {
			return receipt, err
		}
		if edited.EditDate > 0 {
			receipt.At = time.Unix(edited.EditDate, 0).UTC()
		}
	}
	return receipt, nil
}

// edit changes one message. Repeating it is harmless.
func (p *publisher) edit(ctx context.Context, m messageRef, r *platform.Rendering, part *platform.Part) (wireMessage, error) {
	method, values := "editMessageText", params{"chat_id": m.chat.value(), "message_id": m.message}
	if len(part.Media) == 0 {
		textValues(values, r, part)
	} else {
		method = "editMessageCaption" // without a caption, it takes the one that is there away
		captionValues(values, part)
	}
	var edited wireMessage
	err := p.call(ctx, opEdit, method, values, nil, false, &edited)
	switch {
	case err == nil, said(err, wordsSame):
		return edited, nil
	case said(err, "message can't be edited"), said(err, "there is no text in the message to edit"), said(err, "there is no caption in the message to edit"):
		return edited, cannotEdit("%s", platform.AsError(err).Message)
	}
	return edited, err
}

// wordsSame is what the API says to an edit that changes nothing.
const wordsSame = "message is not modified"

// said reports whether the API refused something with these words.
func said(err error, words string) bool {
	e := platform.AsError(err)
	return err != nil && e.Status == 400 && strings.Contains(e.Message, words)
}

func cannotEdit(format string, args ...any) error {
	return platform.CannotEdit(opEdit, format, args...)
}

// messages returns the messages of a part, in order. A person who settles a delivery by hand gives the address of one of them.
func (p *publisher) messages(op string, remote platform.Remote) ([]messageRef, error) {
	m, ok := parseMessage(remote.ID)
	if !ok {
		return nil, &platform.Error{
			Outcome: platform.Rejected, Op: op, Message: fmt.Sprintf("%q is not the address of a message", remote.ID),
			Hint: "record where it is with `postrider resolve POST ACCOUNT --published URL`",
		}
	}
	if m.chat == (chatRef{}) {
		m.chat = p.chat
	}
	list := []messageRef{m}
	numbers, _, known := strings.Cut(remote.Version, "/")
	if !known {
		return list, nil
	}
	for n := range strings.SplitSeq(numbers, ",") {
		if number, ok := parseNumber(n); ok && number != m.message {
			list = append(list, messageRef{m.chat, number})
		}
	}
	return list, nil
}

// Delete implements [platform.Deleter]. https://core.telegram.org/bots/api#deletemessage (2026-11-22)
func (p *publisher) Delete(ctx context.Context, old platform.Receipt) error {
	const op = "delete message"
	var all []messageRef
	for _, remote := range old.Parts {
		list, err := p.messages(op, remote)
		if err != nil {
			return err
		}
		all = append(all, list...)
	}
	for _, m := range slices.Backward(all) {
		var done bool
		err := p.call(ctx, op, "deleteMessage", params{"chat_id": m.chat.value(), "message_id": m.message}, nil, false, &done)
		if err == nil || said(err, "message to delete not found") {
			continue
		}
		e := *platform.AsError(err)
		if said(err, "message can't be deleted") {
			e.Hint = "bots may only delete what is less than 48 hours old, and in a channel only with the right to post: take it down by hand"
		}
		return &e
	}
	return nil
}

// Exists implements [platform.Checker]. The API shows no messages. But asked to take the buttons off a message, it says whether there
// is one; ours have none.
func (p *publisher) Exists(ctx context.Context, part platform.Remote) (bool, error) {
	const op = "look for the message"
	list, err := p.messages(op, part)
	if err != nil {
		return false, err
	}
	for _, m := range list {
		err := p.call(ctx, op, "editMessageReplyMarkup", params{"chat_id": m.chat.value(), "message_id": m.message}, nil, false, nil)
		if said(err, "message to edit not found") {
			return false, nil
		}
		if err != nil && !said(err, wordsSame) {
			return false, err
		}
	}
	return true, nil
}
