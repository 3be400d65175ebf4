package board

import "fmt"

// Fixed returns why the post's time cannot be changed any more, as a sentence; empty when it can.
func (r *Row) Fixed() string {
	if r.Good != nil {
		return "The file cannot be read at the moment: mend it first."
	}
	for i := range r.Targets {
		t := &r.Targets[i]
		switch t.State {
		case Published, Changed:
			return fmt.Sprintf("It is out on %s already.", t.Account.Name)
		case Withdrawn:
			return fmt.Sprintf("It was out on %s and has been taken down.", t.Account.Name)
		case Skipped:
			return fmt.Sprintf("It was skipped on %s, for good.", t.Account.Name)
		case Sending, Waiting, Attention:
			return fmt.Sprintf("Its delivery to %s has begun.", t.Account.Name)
		}
	}
	return ""
}
