package guards

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
)

// guardOut names the variable with the number of the guard that is out.
const guardOut = "KONBILL_GUARD_OUT"

// switches turns a source file into one whose guards can be taken out when the
// program runs. A function with a guard gets a twin without it, and begins by
// asking whether the twin is to do its work.
type switches struct {
	text  []byte
	files *token.FileSet
	file  *ast.File
	asks  map[*ast.FuncDecl]string
	twins strings.Builder
}

func newSwitches(name string, source []byte) (*switches, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, source, parser.ParseComments)
	return &switches{text: source, files: files, file: file, asks: map[*ast.FuncDecl]string{}}, err
}

// add makes the twins that a guard's edits of the file want.
func (s *switches) add(number int, edits []edit) error {
	without := map[*ast.FuncDecl]string{}
	for _, e := range edits {
		if n := bytes.Count(s.text, []byte(e.code)); n != 1 {
			return fmt.Errorf("%q is there %d times", e.code, n)
		}
		f := s.around(bytes.Index(s.text, []byte(e.code)))
		if f == nil {
			return fmt.Errorf("%q is in no function", e.code)
		}
		if without[f] == "" {
			without[f] = s.between(f.Pos(), f.End())
		}
		without[f] = strings.Replace(without[f], e.code, e.without, 1)
	}
	for f, twin := range without {
		call, err := s.call(f, number)
		if err != nil {
			return err
		}
		s.asks[f] += fmt.Sprintf("if switchedOut == \"%d\" { %s }; ", number, call)
		named := f.Name.End() - f.Pos()
		fmt.Fprintf(&s.twins, "\n%s%s%s\n", twin[:named], suffix(number), twin[named:])
	}
	return nil
}

func suffix(number int) string { return fmt.Sprintf("WithoutGuard%d", number) }

// around is the function that a byte of the text stands in.
func (s *switches) around(offset int) *ast.FuncDecl {
	for _, d := range s.file.Decls {
		f, is := d.(*ast.FuncDecl)
		if is && s.offset(f.Body.Pos()) <= offset && offset < s.offset(f.End()) {
			return f
		}
	}
	return nil
}

// call is the statement that has a function's twin do its work.
func (s *switches) call(f *ast.FuncDecl, number int) (string, error) {
	var arguments []string
	for _, field := range f.Type.Params.List {
		if len(field.Names) == 0 {
			return "", errors.New("a parameter without a name")
		}
		for _, name := range field.Names {
			argument := name.Name
			if _, variadic := field.Type.(*ast.Ellipsis); variadic {
				argument += "..."
			}
			arguments = append(arguments, argument)
		}
	}
	callee := f.Name.Name + suffix(number)
	if f.Recv != nil {
		callee = f.Recv.List[0].Names[0].Name + "." + callee
	}
	call := callee + "(" + strings.Join(arguments, ", ") + ")"
	if f.Type.Results == nil {
		return call + "; return", nil
	}
	return "return " + call, nil
}

// source is the file with its switches.
func (s *switches) source() []byte {
	var out strings.Builder
	from := s.file.FileStart
	for _, d := range s.file.Decls {
		f, is := d.(*ast.FuncDecl)
		if !is || s.asks[f] == "" {
			continue
		}
		body := f.Body.Lbrace + 1
		out.WriteString(s.between(from, body) + " " + s.asks[f])
		from = body
	}
	out.WriteString(s.between(from, s.file.FileEnd) + s.twins.String())
	return []byte(out.String())
}

// declaration is a file beside it that knows which guard is out.
func (s *switches) declaration() []byte {
	return fmt.Appendf(nil, "package %s\n\nimport \"os\"\n\nvar switchedOut = os.Getenv(%q)\n", s.file.Name.Name, guardOut)
}

func (s *switches) between(from, to token.Pos) string {
	return string(s.text[s.offset(from):s.offset(to)])
}

func (s *switches) offset(p token.Pos) int { return s.files.Position(p).Offset }
