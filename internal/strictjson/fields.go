package strictjson

import "fmt"

// Fields takes the members of an object one by one, so that a caller can say
// which there must be and that there are no others. The first error stays and
// every later call returns a zero value:
//
//	f := v.Object("claims")
//	iss := f.String("iss")
//	iat := f.Integer("iat")
//	if err := f.End(); err != nil { ... }
type Fields struct {
	what    string
	members []Member
	taken   []bool
	err     error
}

// Object starts to take the members of a value that must be an object; what
// names it in errors.
func (v Value) Object(what string) *Fields {
	f := &Fields{what: what, members: v.Members, taken: make([]bool, len(v.Members))}
	if v.Kind != Object {
		f.err = fmt.Errorf("%w: %s is %s, not an object", ErrSyntax, what, v.Kind)
	}
	return f
}

// String takes a member that must be there and be a string.
func (f *Fields) String(name string) string { return f.take(name, String, true).Text }

// OptionalString takes a member that, if there, must be a string.
func (f *Fields) OptionalString(name string) (text string, present bool) {
	v := f.take(name, String, false)
	return v.Text, v.Kind == String
}

// Integer takes a member that must be there and be an integer.
func (f *Fields) Integer(name string) int64 { return f.take(name, Integer, true).Number }

// Array takes a member that must be there and be an array.
func (f *Fields) Array(name string) []Value { return f.take(name, Array, true).Items }

// OptionalArray takes a member that, if there, must be an array.
func (f *Fields) OptionalArray(name string) (items []Value, present bool) {
	v := f.take(name, Array, false)
	return v.Items, v.Kind == Array
}

func (f *Fields) take(name string, kind Kind, required bool) Value {
	if f.err != nil {
		return Value{}
	}
	for i, m := range f.members {
		if m.Name != name {
			continue
		}
		if m.Value.Kind != kind {
			f.err = fmt.Errorf("%w: %q of %s is %s, not %s", ErrSyntax, name, f.what, m.Value.Kind, kind)
			return Value{}
		}
		f.taken[i] = true
		return m.Value
	}
	if required {
		f.err = fmt.Errorf("%w: %s has no %q", ErrSyntax, f.what, name)
	}
	return Value{}
}

// Err returns the first error. Other than [Fields.End] it lets members pass that nobody
// took.
func (f *Fields) Err() error { return f.err }

// End returns the first error, or one that names a member nobody took.
func (f *Fields) End() error {
	if f.err != nil {
		return f.err
	}
	for i, m := range f.members {
		if !f.taken[i] {
			return fmt.Errorf("%w: %s has the unknown name %.40q", ErrSyntax, f.what, m.Name)
		}
	}
	return nil
}
