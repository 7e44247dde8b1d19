package main

// machineFaults are mistakes in the state machine of the engine. The law that must
// catch each is named.
var machineFaults = []fault{
	inMachine("forget a floor for a lower one", "rises", "joined := r.floor.Join(e.floor)", "joined := e.floor"),
	inMachine("let a failed lookup end a proof that is due", "kept", "case old.proves() && (s == fresh || s == due):", "case old.proves() && s == fresh:"),
	inMachine("keep a proof although the owner revoked", "owner", "case old == nil || found.association.Authentic():", "case old == nil:"),
	inMachine("let somebody new in by a statement that was overtaken", "below", "		return overtaken\n", "		return fresh\n"),
	inMachine("go on with an overtaken statement for ever", "below", "	case !newest && !renewed:\n		return over\n", ""),
	inMachine("take a decision from before a newer statement", "newest", "case !e.found.known.Same(r.floor):", "case false:"),
	inMachine("take evidence from before a newer statement", "gathered", "case !e.found.association.Authentic() && !e.floor.Same(r.floor):", "case false:"),
	inMachine("look up after the end", "closed", "	case r.closed:\n		return r, []effect{{refusal, e.seat}}\n	case s.looking:", "	case s.looking:"),
	inMachine("settle after the end", "closed", "	case r.closed:\n		return r, []effect{{refusal, e.seat}}\n	case !e.found.known.Same(", "	case !e.found.known.Same("),
	inMachine("look up twice at once", "single", "if r.closed || s.looking || s.entry == nil ||", "if r.closed || s.entry == nil ||"),
	inMachine("look up what nobody wants", "wanted", " || !s.entry.asked && !s.held {", " {"),
	inMachine("wait for a lookup that nobody makes", "waits", "[]effect{{look, e.seat}, {join, e.seat}}", "[]effect{{join, e.seat}}"),
	inMachine("wait for a lookup that has answered", "waits", "s.looking && !e.waited", "s.looking"),
	inMachine("do not tell who holds a proof of a newer statement", "told", "		if s.held {\n", "		if s.held && s.looking {\n"),
	inMachine("do not look up what was overtaken", "overtaken", "			effects = append(effects, effect{lockOut, i})\n", "			effects = append(effects, effect{lockOut, i})\n			continue\n"),
	inMachine("forget that there was a proof", "ended", "ended.ended = old.ended || old.proves()", "ended.ended = old.ended"),
	inMachine("answer although the memory is away for long", "fresh", "case !now.within(known.sure, maxUnsure):", "case false:"),
	inMachine("answer with a proof that has ended", "lives", "case !e.proves() || !now.within(e.decided, e.until.Sub(e.decided.clock)):", "case !e.proves():"),
	inMachine("take what a peer brought although a lookup found something meanwhile", "meanwhile", "case s.entry != e.base || ", "case "),
	inMachine("take what a peer brought after the lookup before it is out of date", "due", "!now.within(e.base.looked, e.base.life) || !now.within(r.sure", "!now.within(r.sure"),
	inMachine("put off the next lookup by what a peer brought", "due", "s.entry = e.found.kept(e.base)", "s.entry = e.found"),
	inMachine("take what a peer brought although a newer statement is known", "newest", " || !now.within(r.sure, maxUnsure) || !e.found.known.Same(r.floor):", " || !now.within(r.sure, maxUnsure):"),
	inMachine("take what a peer brought after the end", "closed", "	case r.closed:\n		return r, []effect{{refusal, e.seat}}\n	case s.entry != e.base", "	case s.entry != e.base"),
	mistake("use a stored statement for longer after the clock was set back", "stored",
		inGo("discovery/verifier/entry.go", "; end.Before(e.until) {", "; end.Before(e.until) && m.at.clock.After(m.seen) {")),
	mistake("forget on which statement a decision rested when the next rests on none", "once",
		inGo("discovery/verifier/stored.go", "last.Compare(f.Order) < 0 && (ok", "last != f.Order && (ok")),
	inMachine("require nothing where a newer statement is known", "required", " || known.floor.Required(now.clock),", ","),
}

func inMachine(name, law, old, with string) fault {
	return mistake(name, law, inGo("discovery/verifier/machine.go", old, with))
}
