-- mod_s2s_auth_dna: accepts a server whose certificate is not for the domain it
-- serves, if the domain's owner signed a delegation to it. The local daemon
-- "dnaverify serve" judges; this module asks it and abides by the answer.
--
--   certificate valid for the domain, says Prosody itself -> nothing is asked
--   "verified"                                            -> certificate valid
--   anything else, or no answer                           -> never valid
--
-- Where nothing is published about the domain, the peer may bring a statement in
-- its stream (docs/stream.md). The whole check of its certificate then waits until
-- the peer had its say, and nothing weaker is accepted before. What this server
-- itself shows to others is in mod_s2s_dna_statements.
--
-- It also closes the way around. Dialback is left to Prosody's own rules only
-- where the daemon looked and nothing is required: `undetermined` leaves weaker
-- ways, such as dialback, open only where `required` is false. For Prosody 0.12
-- and 13. See README.md beside it.

module:set_global();

local async = require "util.async";
local datetime_parse = require "util.datetime".parse;
local http = require "net.http";
local idna_to_ascii = require "util.encodings".idna.to_ascii;
local json = require "util.json";
local nameprep = require "util.encodings".stringprep.nameprep;
local st = require "util.stanza";
local timer = require "util.timer";

local daemon = module:get_option_string("dna_url", "http://127.0.0.1:8853/v1/check");
local timeout = module:get_option_number("dna_timeout", 10); -- seconds

-- An answer without evidence has some hundred octets.
local max_answer = 64 * 1024;
-- When to ask again, in seconds, if the daemon does not say it or could not be
-- asked. It is how long the daemon itself keeps what it did not find.
local retry = 5 * 60;

local xmlns_dna = "urn:uuid:1b0c9ee8-2582-444b-9588-3ee63b2ff654";
-- A statement in a stream has at most 32,768 octets, in base64 so many.
local max_statement = 43692;

-- What comes over plain HTTP is believed, so it must not leave this machine. A
-- host name would be looked up, and DNS is what nobody believes here.
local loopback = daemon:match("^http://127%.%d+%.%d+%.%d+:?%d*/") or daemon:match("^http://%[::1%]:?%d*/");
if not loopback then
	module:log("error", "dna_url = %q is not http:// with a loopback address such as 127.0.0.1; nothing will be accepted by delegation", daemon);
end

-- Answers that say nothing about the domain, because the daemon did not look.
local did_not_look = { ["overloaded"] = true; ["memory-failed"] = true };

local outcomes = { verified = true; refused = true; undetermined = true };

-- text makes a line for the log of something that may hold anything.
local function text(s)
	return type(s) == "string" and s:sub(1, 500):gsub("%c+", " ") or "";
end

-- post sends a question and waits, in a runner, for status and body of the
-- answer. On failure the status is 0 and the body tells why.
local function post(body)
	local wait, done = async.waiter();
	local waiting, status, content = true, 0, nil;
	local function finish(c, s)
		if not waiting then return; end
		waiting, status, content = false, s or 0, c;
		done();
	end
	local request = http.request(daemon, {
		method = "POST"; body = body;
		headers = { ["Content-Type"] = "application/json"; ["Connection"] = "close" };
	}, finish);
	if request then
		request.body_size_limit, request.buffer_size_limit = max_answer, max_answer;
	end
	-- Not a timer of the module: it must ring even if the module is unloaded.
	local alarm = timer.add_task(timeout, function ()
		if request then http.destroy_request(request); end
		finish(("no answer within %g seconds"):format(timeout), 0);
	end);
	wait();
	timer.stop(alarm);
	return status, content or "";
end

-- remote is the domain that a session's certificate was checked for.
local function remote(session)
	if session.direction == "outgoing" then
		return session.to_host;
	end
	return session.from_host;
end

-- question is what to ask about a peer: it speaks for host, and this is what it
-- showed in TLS, and the statement that came in its stream. What Prosody dialled it does not know here (SRV targets are
-- resolved elsewhere), so the question has no target. A recheck is about a stream
-- that was accepted before.
local function question(session, host, recheck)
	local source = idna_to_ascii(host);
	if not source then
		return nil, "the domain has no ASCII form";
	end
	local socket = session.secure and session.conn and session.conn:socket();
	local certificates = socket and socket.getpeerchain and socket:getpeerchain();
	if not certificates or not certificates[1] then
		return nil, "it showed no certificate, and only one that is shown in TLS can be checked";
	end
	local chain = {};
	for i, certificate in ipairs(certificates) do
		chain[i] = certificate:pem();
	end
	return {
		source = source; service = "_xmpp-server._tcp"; direction = session.direction;
		chain = table.concat(chain); peer = session.ip and session.ip:match("^[%x:.]+$");
		recheck = recheck;
		statement = host == remote(session) and session.dna_statement or nil;
	};
end

-- ask returns the daemon's answer, or nil and why there is none that can be used.
local function ask(session, host, recheck)
	local q, problem = question(session, host, recheck);
	if not q then
		return nil, problem;
	end
	if not loopback then
		return nil, "dna_url is not an http:// URL with a loopback address; correct it in the configuration";
	end
	local status, body = post(json.encode(q));
	if status == 0 then
		return nil, ("%s: %s; see whether dnaverify serve is running and listens there"):format(daemon, text(body));
	end
	local a = json.decode(body);
	if type(a) ~= "table" then
		a = {};
	end
	if status ~= 200 then
		return nil, ("%s: status %d %s %s"):format(daemon, status, text(a.reason), text(a.detail));
	end
	if a.version ~= 1 or not outcomes[a.outcome] or type(a.required) ~= "boolean"
			or a.source ~= q.source or a.direction ~= q.direction then
		return nil, ("%s: not an answer to the question; see that dna_url leads to dnaverify serve"):format(daemon);
	end
	a.until_time = type(a.valid_until) == "string" and datetime_parse(a.valid_until);
	a.refresh_time = type(a.refresh_at) == "string" and datetime_parse(a.refresh_at);
	if a.outcome == "verified" and not (a.until_time and a.until_time > os.time() and type(a.name) == "string") then
		return nil, ("%s: verified without a name or an end, or past its end; see that the clocks agree"):format(daemon);
	end
	return a;
end

-- proven reports whether the peer's certificate is valid for a domain.
local function proven(session, host)
	return host and host == remote(session)
		and session.cert_chain_status == "valid" and session.cert_identity_status == "valid";
end

-- knows_none reports whether the daemon looked and nothing is required for the
-- domain. Only then may anything weaker than a certificate be accepted:
-- `undetermined` leaves weaker ways, such as dialback, open only where `required`
-- is false.
local function knows_none(a)
	return a and not a.required and not did_not_look[a.reason];
end

-- explain says in the log, in one sentence, why a certificate was not accepted
-- and what to do. It returns the reason's code.
local function explain(session, prefix, host, a, problem)
	if not a then
		session.log("warn", "%s for %s: undetermined, no-answer: %s", prefix, host, problem);
		return "no-answer";
	end
	local reason, hint, rest = text(a.reason), text(a.hint), "";
	if a.required then
		rest = " (it has a statement, so nothing weaker counts)";
	elseif knows_none(a) then
		rest = " (Prosody's own rules decide)";
	end
	session.log("warn", "%s for %s: %s, %s: %s%s%s%s", prefix, host, a.outcome, reason, text(a.detail),
		hint ~= "" and "; " or "", hint, rest);
	return reason;
end

-- refuse ends a session that nothing weaker may authenticate. What the sender of
-- a queued stanza is told must not name the domain, which may be its secret.
local function refuse(session, host, reason)
	session:close({ condition = "policy-violation"; text = ("Your server's certificate is not accepted for %s: %s"):format(host, reason) },
		nil, ("Remote server's certificate is not accepted (%s)"):format(reason));
end

-- watch asks again when the daemon says that it is time to, and ends the session
-- of a domain that delegates no longer. While the daemon looks up a newer
-- statement it still says "verified", and that it is to be asked again soon.
-- Without an answer, a proof lasts until its end.
local function watch(session, host, a)
	local until_time = a.until_time;
	local delegated = { answer = a };
	local after; -- seconds from now
	local function recheck()
		local again, problem = ask(session, host, true);
		if session.destroyed then
			return;
		elseif again and again.outcome == "verified" then
			watch(session, host, again);
		elseif again and again.outcome == "refused" or os.time() >= until_time then
			refuse(session, host, explain(session, "Certificate no longer accepted", host, again, problem));
		else
			after(retry);
		end
	end
	local function failed(_, err)
		module:log("error", "Asking again about %s: %s", host, err);
		session:close("internal-server-error");
	end
	function after(seconds)
		seconds = math.max(1, math.min(seconds, until_time - os.time()));
		delegated.timer = module:add_timer(seconds, function ()
			async.runner(nil, { error = failed }):run(recheck);
		end);
	end
	session.dna_delegated = session.dna_delegated or {};
	session.dna_delegated[host] = delegated;
	local wait = (a.refresh_time or 0) - os.time();
	after(wait > 0 and wait or retry);
end

module:hook("s2s-destroyed", function (event)
	for _, delegated in pairs(event.session.dna_delegated or {}) do
		delegated.timer:stop();
	end
end);

-- conclude says what an answer about a session's certificate means. It returns
-- "verified"; "unknown" if the daemon knows of no statement, so that Prosody's own
-- rules decide; or nil, if nothing weaker may do, and the code of the reason. The
-- peer may have left meanwhile; the log says it all the same.
local function conclude(session, host, a, problem)
	if a and a.outcome == "verified" then
		if session.destroyed then
			return nil, "closed";
		end
		session.log("info", "%s may be served by %s (%s, until %s%s): certificate accepted", host, text(a.name), text(a.method), text(a.valid_until),
			a.found == "stream" and ", by the statement that it brought" or "");
		watch(session, host, a);
		return "verified";
	end
	local reason = explain(session, "Certificate not accepted", host, a, problem);
	if knows_none(a) then
		return "unknown";
	end
	return nil, reason;
end

-- check asks about a session's certificate for a domain.
local function check(session, host)
	return conclude(session, host, ask(session, host));
end

-- leave allows Prosody's own rules to authenticate a domain on a session.
local function leave(session, host)
	session.dna_weaker = session.dna_weaker or {};
	session.dna_weaker[host] = true;
end

-- answer_to tells a peer what became of the statement that it brought. Only the
-- features that follow say what it can do.
local function answer_to(session, a)
	local problem = session.dna_problem;
	session.sends2s(st.stanza("result", { xmlns = xmlns_dna;
		outcome = problem and "refused" or a and a.outcome or "undetermined";
		reason = problem or a and text(a.reason) or "unanswered" }));
end

-- defers reports whether a peer is to have its say first: every place answered that
-- nothing is published about its domain, and it can bring something.
local function defers(session, a)
	return a and a.unpublished == true and a.outcome ~= "verified" and not session.dna_check
		and session.secure and (session.version or 0) >= 1 and session.type:match("_unauthed$");
end

-- After mod_s2s_auth_certs (509), before mod_s2s applies its policy (-1). It is
-- fired in the session's runner, so waiting here stops this session only.
module:hook("s2s-check-certificate", function (event)
	local session, host = event.session, event.host;
	if not host or proven(session, host) then
		return; -- an incoming stream that does not say who it is has nothing but dialback: below
	end
	local a, problem = ask(session, host);
	if not session.destroyed and defers(session, a) then
		session.log("info", "Nothing is published about %s: its server may bring a statement in the stream", host);
		session.dna_check = "waits";
		return true; -- the policy waits, too: see finish_check
	end
	if session.dna_check == "answers" and not session.destroyed then
		answer_to(session, a);
	end
	local verdict, reason = conclude(session, host, a, problem);
	if session.destroyed then
		return false;
	elseif verdict == "verified" then
		session.cert_chain_status, session.cert_identity_status = "valid", "valid";
	elseif verdict == "unknown" then
		leave(session, host);
	else
		refuse(session, host, reason);
		return false;
	end
end, 100);

-- finish_check makes the check that waits, whole and with everybody's policy. It
-- reports whether the session may go on.
local function finish_check(session, how)
	session.dna_check = how;
	local cert = session.conn:socket():getpeercertificate();
	return module:fire_event("s2s-check-certificate", { host = remote(session), session = session, cert = cert }) ~= false
		and not session.destroyed;
end

-- statement_in reads the statement in an element of a peer, or says which reason
-- there is to refuse it. The daemon judges encoding and text.
local function statement_in(element)
	local statement = element.tags[1];
	for _, child in ipairs(element) do
		if type(child) == "string" and child:match("%S") then
			return nil, "malformed-record";
		end
	end
	if #element.tags ~= 1 or statement.name ~= "statement" or (statement.attr.xmlns or xmlns_dna) ~= xmlns_dna
			or #statement.tags > 0 or not statement.attr.encoding or #statement.attr.encoding > 15 then
		return nil, "malformed-record";
	end
	local value = statement:get_text() or "";
	if #value > max_statement then
		return nil, "statement-too-large";
	end
	return { encoding = statement.attr.encoding; text = value };
end

-- hear takes note of the statement in an element of a peer.
local function hear(session, element)
	session.dna_statement, session.dna_problem = statement_in(element);
	if session.dna_problem then
		session.log("warn", "The statement that the server of %s brought is not used: refused, %s", remote(session), session.dna_problem);
	end
end

-- An incoming peer is told that it may bring a statement.
local function offer(event)
	local session, features = event.origin, event.features;
	if session.direction == "incoming" and session.dna_check == "waits" then
		session.dna_offered = true;
		features:tag("dna", { xmlns = xmlns_dna; assert = "true" }):up();
	end
end

-- An incoming peer brings one. What was not offered, or is there a second time, ends
-- the stream.
local function brought(event)
	local session = event.origin;
	if not session.dna_offered then
		session:close({ condition = "policy-violation"; text = "No statement is taken on this stream now" });
		return true;
	end
	session.dna_offered = nil;
	hear(session, event.stanza);
	if finish_check(session, "answers") then
		-- RFC 6120, Section 4.3.5: what can be done now.
		local features = st.stanza("stream:features");
		module:context(session.to_host):fire_event("s2s-stream-features", { origin = session; features = features });
		session.sends2s(features);
	end
	return true;
end

-- The features of an outgoing peer have its statement. They are not acted on before
-- it is judged.
local function before_features(event)
	local session = event.origin;
	if session.direction ~= "outgoing" or session.dna_check ~= "waits" then
		return;
	end
	local dna = event.stanza:get_child("dna", xmlns_dna);
	if dna and dna.tags[1] then
		hear(session, dna);
	end
	if not finish_check(session, "done") then
		return true;
	end
end

-- An incoming peer that brings nothing goes on to something else.
local function before_anything_else(event)
	local session = event.origin;
	if session.direction == "incoming" and session.dna_check == "waits" then
		session.dna_offered = nil;
		if not finish_check(session, "done") then
			return true;
		end
	end
end

-- Dialback asks by DNS whom to believe. Here a peer begins it, perhaps for a
-- further domain on a stream that was authenticated for another one.
local function before_dialback(event)
	local session, attr = event.origin, event.stanza.attr;
	local host = attr.from and nameprep(attr.from);
	if session.direction ~= "incoming" or not host or not attr.to then
		return;
	end
	if proven(session, host) or session.dna_weaker and session.dna_weaker[host] then
		return;
	end
	local verdict, reason = check(session, host);
	if session.destroyed then
		return true;
	elseif verdict then
		leave(session, host);
		return;
	end
	-- XEP-0220, Section 2.4: an error of one domain does not end the stream.
	session.sends2s(st.stanza("db:result", { from = attr.to; to = attr.from; type = "error" })
		:tag("error", { type = "cancel" })
			:tag("policy-violation", { xmlns = "urn:ietf:params:xml:ns:xmpp-stanzas" }):up()
			:tag("text", { xmlns = "urn:ietf:params:xml:ns:xmpp-stanzas" })
				:text(("Your server's certificate is not accepted for %s: %s"):format(host, reason)));
	return true;
end

-- Every way to become authenticated ends here, in both directions: whoever was
-- neither proven nor left to Prosody's rules came around the checks above, such
-- as without TLS.
local function before_authenticated(event)
	local session, host = event.session, event.host;
	if proven(session, host) or session.dna_weaker and session.dna_weaker[host] then
		return;
	end
	session.log("warn", "Not authenticated as %s by %s: undetermined, not-asked: its certificate was not checked for this domain",
		host, event.mechanism or "other means");
	refuse(session, host, "not-asked");
	return true;
end

-- Components too, which a module that is enabled globally is not loaded on.
local function guard(host)
	local context = module:context(host);
	context:hook("s2s-stream-features", offer, -5);
	context:hook("stanza/"..xmlns_dna..":assert", brought);
	context:hook("stanza/http://etherx.jabber.org/streams:features", before_features, 400); -- after TLS (500)
	for _, weaker in ipairs { "urn:ietf:params:xml:ns:xmpp-sasl:auth", "jabber:server:dialback:result", "jabber:server:dialback:verify" } do
		context:hook("stanza/"..weaker, before_anything_else, 200);
	end
	context:hook("stanza/jabber:server:dialback:result", before_dialback, 100);
	context:hook("s2s-authenticated", before_authenticated, 100);
end
module:hook("host-activated", guard);
for host in pairs(prosody.hosts) do
	guard(host);
end

-- After a reload the timers of the sessions that were accepted are gone.
for _, session in pairs(module:shared("/*/s2s/sessions")) do
	for host, delegated in pairs(session.dna_delegated or {}) do
		watch(session, host, delegated.answer);
	end
end
