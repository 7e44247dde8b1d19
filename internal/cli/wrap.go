package cli

import (
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

const (
	defaultWidth = 80 // of a terminal that does not say how wide it is, and of help
	hanging      = 4  // blanks before what goes on below a line
	leastWidth   = 20 // below it, wrapping only makes things worse
	leastText    = 20 // columns that the text of a table must have to be kept in its column
)

// width is how many columns a line to w may have: COLUMNS if it is set, else
// the width of the terminal. It is 0, which is any number, where w is no
// terminal: programs that read a line want it whole.
func width(w io.Writer) int {
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n >= leastWidth {
		return n
	}
	if !Terminal(w) {
		return 0
	}
	n, _, err := term.GetSize(int(w.(interface{ Fd() uintptr }).Fd()))
	if err != nil || n < leastWidth {
		return defaultWidth
	}
	return n
}

// Wrapped returns a writer that breaks the lines written to it where they are
// wider than the terminal, between words. It is for texts that people read:
// never for JSON, statements or records.
func Wrapped(w io.Writer) io.Writer {
	if n := width(w); n > 0 {
		return &wrapper{w, n, hanging}
	}
	return w
}

// A wrapper wraps whole lines. What is no line passes as it is, such as the
// steps of a progress bar.
type wrapper struct {
	w           io.Writer
	width, hang int // hang is the indentation of what goes on below a line that is no table
}

func (w *wrapper) Write(p []byte) (int, error) {
	var b strings.Builder
	for line := range strings.Lines(string(p)) {
		text, whole := strings.CutSuffix(line, "\n")
		if !whole || strings.Contains(text, "\r") {
			b.WriteString(line)
			continue
		}
		b.WriteString(wrap(text, w.width, w.hang))
		b.WriteByte('\n')
	}
	if _, err := io.WriteString(w.w, b.String()); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Fd is the file below, so that a terminal is known as one.
func (w *wrapper) Fd() uintptr {
	if f, ok := w.w.(interface{ Fd() uintptr }); ok {
		return f.Fd()
	}
	return ^uintptr(0) // of no file
}

var (
	// columns are the blanks, and the cells of a table, before the text of a
	// line. Cells have two blanks between them.
	columns = regexp.MustCompile(`^ *(?:[^ ]+(?: [^ ]+)*  +)*`)
	// command is a line that is a command to type.
	command = regexp.MustCompile(`^ +(?:\$ )?(?:dnasign|dnaverify) `)
	// colors have no width.
	colors = regexp.MustCompile("\x1b\\[[0-9]*m")
)

func columnsOf(s string) int { return utf8.RuneCountInString(colors.ReplaceAllString(s, "")) }

// wrap breaks a line between words, so that no part is wider than width unless
// one word is. What follows is indented to the column where the text of a table
// begins, else by a few blanks. A command that is broken can still be typed.
func wrap(line string, width, by int) string {
	if columnsOf(line) <= width {
		return line
	}
	head := columns.FindString(line)
	if strings.TrimSpace(line[len(head):]) == "" {
		return line
	}
	hang, end, between := columnsOf(head), "", ""
	indented := len(line) - len(strings.TrimLeft(line, " "))
	switch {
	case command.MatchString(line):
		// The end of a line that is broken is a blank and a backslash.
		head, hang, end = line[:indented], indented+hanging, " \\"
	case len(head) == indented, width-hang < leastText:
		hang = min(indented+by, width/3)
	}
	var b strings.Builder
	b.WriteString(head)
	at := columnsOf(head)
	for i, word := range strings.Split(line[len(head):], " ") {
		n := columnsOf(word)
		if i > 0 && at+len(between)+n > width-len(end) {
			b.WriteString(end + "\n")
			// A long word, such as a URL, is moved to the left before it is too wide.
			at = max(0, min(hang, width-n))
			b.WriteString(strings.Repeat(" ", at))
			between = ""
		}
		b.WriteString(between + word)
		at += len(between) + n
		between = " "
	}
	return b.String()
}

// reflow joins the lines of a paragraph. Lines that are indented are left alone.
func reflow(text string) string {
	var b strings.Builder
	joins := false // the line before is part of a paragraph
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		paragraph := line != "" && !strings.HasPrefix(line, " ")
		switch {
		case b.Len() == 0:
		case joins && paragraph:
			b.WriteByte(' ')
		default:
			b.WriteByte('\n')
		}
		b.WriteString(line)
		joins = paragraph
	}
	return b.String()
}
