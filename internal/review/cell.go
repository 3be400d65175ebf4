package review

// Cell writes a text as one cell of a Markdown table: it is no markup there, mentions nobody and refers to no issue, whoever wrote it.
func Cell(text string) string { return inert(text) }
