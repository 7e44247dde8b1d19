-- mod_s2s_dna_statements: shows other servers the signed delegations that owners of
-- hosted domains handed over, in the stream (docs/stream.md). It judges nothing: the
-- module mod_s2s_auth_dna does that, for the statements of others.
--
--   receiving:  stream features -> the statement of the domain that is asked for
--   initiating: the other server takes statements -> the statement of the domain
--               that connects, and then whatever the other server offers
--
-- For Prosody 0.12 and 13. See README.md beside it.

module:set_global();

local base64_encode = require "util.encodings".base64.encode;
local idna_to_ascii = require "util.encodings".idna.to_ascii;
local lfs = require "lfs";
local st = require "util.stanza";

local xmlns_dna = "urn:uuid:1b0c9ee8-2582-444b-9588-3ee63b2ff654";
local xmlns_sasl = "urn:ietf:params:xml:ns:xmpp-sasl";

-- FOLDER/b.example/_xmpp-server._tcp.jws, or .p7c
local folder = module:get_option_string("dna_statements", "/var/lib/prosody/dna");

-- A Prosody that initiates may end a stream whose features have more than 10,000
-- octets (s2s_unauthed_stanza_size_limit), and they hold more than the statement.
local max_text = 8000;

-- How a file becomes the text of the element, by its ending.
local encodings = {
	jws = { name = "jws"; text = function (s)
		s = s:gsub("%s+$", "");
		return s:match("^[%w_.-]+$");
	end };
	p7c = { name = "ac"; text = base64_encode };
};

local told = {}; -- files that cannot be used: when they were changed

-- refuse says in the log why a file is not shown, once for each change.
local function refuse(path, changed, problem)
	if told[path] ~= changed then
		told[path] = changed;
		module:log("error", "%s is not shown to other servers: %s", path, problem);
	end
end

-- statement_of is the statement of a hosted domain as an element, or nil. The file is
-- read for each stream, so that a new one is shown at once. Of two files the one that
-- was changed last counts.
local function statement_of(host)
	local domain = idna_to_ascii(host);
	if not domain or not domain:match("^[%w.-]+$") then
		return;
	end
	local path, encoding, changed;
	for ending, e in pairs(encodings) do
		local p = ("%s/%s/_xmpp-server._tcp.%s"):format(folder, domain, ending);
		local at = lfs.attributes(p, "modification");
		if at and (not changed or at > changed or at == changed and ending == "p7c") then
			path, encoding, changed = p, e, at;
		end
	end
	if not path then
		return;
	end
	local file, err = io.open(path, "rb");
	local content = file and file:read(max_text + 1);
	if file then
		file:close();
	end
	local text = content and encoding.text(content);
	if not text then
		return refuse(path, changed, err or "it is empty, or not a statement in this encoding");
	elseif #text > max_text then
		return refuse(path, changed, ("it is longer than the %d characters that a stream can carry"):format(max_text));
	end
	return st.stanza("statement", { xmlns = xmlns_dna; encoding = encoding.name }):text(text);
end

-- show puts the statement into the features, once, after TLS and before
-- authentication.
local function show(event)
	local session, features = event.origin, event.features;
	if session.type ~= "s2sin_unauthed" or not session.secure or session.dna_shown then
		return;
	end
	session.dna_shown = true;
	local statement = statement_of(session.to_host);
	if not statement then
		return;
	end
	local dna = features:get_child("dna", xmlns_dna); -- mod_s2s_auth_dna may have put it there
	if not dna then
		dna = st.stanza("dna", { xmlns = xmlns_dna });
		features:add_child(dna);
	end
	dna:add_child(statement);
end

-- offers reports whether features offer EXTERNAL.
local function offers(features)
	local mechanisms = features:get_child("mechanisms", xmlns_sasl);
	for mechanism in mechanisms and mechanisms:childtags("mechanism") or function () end do
		if mechanism:get_text() == "EXTERNAL" then
			return true;
		end
	end
	return false;
end

-- bring sends the statement where the other server takes one and does not offer
-- EXTERNAL without it. Its result and other features follow.
local function bring(event)
	local session, features = event.origin, event.stanza;
	local dna = features:get_child("dna", xmlns_dna);
	if session.type ~= "s2sout_unauthed" or not session.secure or session.dna_brought or not dna or offers(features)
			or dna.attr.assert ~= "true" and dna.attr.assert ~= "1" then
		return;
	end
	local statement = statement_of(session.from_host);
	if statement then
		session.dna_brought = "waits";
		session.sends2s(st.stanza("assert", { xmlns = xmlns_dna }):add_child(statement));
		return true;
	end
end

local function answered(event)
	local session, attr = event.origin, event.stanza.attr;
	if session.dna_brought ~= "waits" then
		return;
	end
	session.dna_brought = "answered";
	local reason = tostring(attr.reason):sub(1, 40):gsub("[^%w-]", "?");
	session.log(attr.outcome == "verified" and "info" or "warn", "The server of %s says about %s and the statement that it was shown: %s",
		session.to_host, session.from_host, reason);
	return true;
end

-- Components too, which a module that is enabled globally is not loaded on.
local function guard(host)
	local context = module:context(host);
	context:hook("s2s-stream-features", show, -10);
	context:hook("stanza/http://etherx.jabber.org/streams:features", bring, 300); -- after TLS (500) and the peer's check (400)
	context:hook("stanza/"..xmlns_dna..":result", answered);
end
module:hook("host-activated", guard);
for host in pairs(prosody.hosts) do
	guard(host);
end
