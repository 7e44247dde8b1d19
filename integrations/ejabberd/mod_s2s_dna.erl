%% mod_s2s_dna accepts a server whose certificate is not for the domain it
%% serves, if the domain's owner signed a delegation to it. The local daemon
%% "dnaverify serve" judges; this module asks it and abides by the answer.
%%
%%   certificate valid for the domain, says ejabberd itself -> nothing is asked
%%   "verified"                                             -> certificate valid
%%   anything else, or no answer                            -> never valid
%%
%% Where nothing is published about the domain, the peer may bring a statement in
%% its stream (docs/stream.md). EXTERNAL is offered to it when it had its say. What
%% this server itself shows to others is in mod_s2s_dna_statements.
%%
%% It also closes the way around. `undetermined` leaves weaker ways, such as
%% dialback, open only where `required` is false. See README.md beside it.
-module(mod_s2s_dna).
-behaviour(gen_mod).

-export([start/2, stop/1, reload/3, depends/2, mod_options/1, mod_opt_type/1, mod_doc/0]).
%% Hooks.
-export([out_recv/3, out_tls_verify/2, out_auth_result/2, in_init/2, in_sent/3, in_start/1, in_recv/3, in_auth_result/3, in_packet/2]).
%% Called later, see watch/4.
-export([ask_again/3, decide_again/3]).

-include("xmpp.hrl").
-include_lib("kernel/include/logger.hrl").

%% An answer without evidence has some hundred bytes.
-define(MAX_ANSWER, 64 * 1024).
%% When to ask again, in seconds, if the daemon does not say it or could not be
%% asked. It is how long the daemon itself keeps what it did not find.
-define(RETRY, 5 * 60).
%% Ask again after a day at the latest.
-define(MAX_WAIT, 24 * 60 * 60).
%% The extension of docs/stream.md.
-define(NS_DNA, <<"urn:uuid:1b0c9ee8-2582-444b-9588-3ee63b2ff654">>).
%% A statement in a stream has at most 32,768 bytes, in base64 so many.
-define(MAX_STATEMENT, 43692).

start(Host, _Opts) -> mod_s2s_dna_features:start(Host, ?MODULE, hooks()).

stop(Host) -> mod_s2s_dna_features:stop(Host, ?MODULE, hooks()).

%% mod_s2s_dialback has 50 everywhere.
hooks() ->
    [{s2s_out_handle_recv, out_recv, 40},
     {s2s_out_tls_verify, out_tls_verify, 90}, % has the last word
     {s2s_out_auth_result, out_auth_result, 40},
     {s2s_in_handle_send, in_sent, 50},
     {s2s_in_dna_start, in_start, 50},
     {s2s_in_handle_recv, in_recv, 40},
     {s2s_in_auth_result, in_auth_result, 10},
     {s2s_in_unauthenticated_packet, in_packet, 40},
     {s2s_in_authenticated_packet, in_packet, 40}].

%% Options are read when they are needed, and open streams keep their timers.
reload(_Host, _New, _Old) -> ok.

depends(_Host, _Opts) -> [].

%% What comes over plain HTTP is believed, so it must not leave this machine. A
%% host name would be looked up, and DNS is what nobody believes here.
mod_opt_type(url) ->
    econf:binary("^http://(127\\.[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}|\\[::1\\])(:[0-9]{1,5})?/[^\\s]*$");
mod_opt_type(timeout) ->
    econf:timeout(second).

mod_options(_Host) ->
    [{url, <<"http://127.0.0.1:8853/v1/check">>},
     {timeout, timer:seconds(10)}].

mod_doc() ->
    #{desc => "Accepts servers to which the owner of a domain delegated it, by asking 'dnaverify serve'.",
      opts => [{url, #{value => "http://127.0.0.1:8853/v1/check", desc => "Where the daemon answers, at a loopback address."}},
               {timeout, #{value => "timeout()", desc => "How long a stream waits for the answer."}}]}.

%%% Outgoing streams

%% The features after TLS may have the statement of the domain. They are acted on
%% when this is over.
out_recv(#{stream_state := wait_for_features, stream_encrypted := true, stream_authenticated := false, remote_server := Host} = State,
         _Element, #stream_features{sub_els = Features}) ->
    case [Dna || #xmlel{name = <<"dna">>} = Dna <- Features, xmpp:get_ns(Dna) =:= ?NS_DNA] of
        [] -> State;
        [Dna] -> element(2, hear(State, Host, statement_in(Dna)));
        _ -> element(2, hear(State, Host, <<"malformed-record">>))
    end;
out_recv(State, _Element, _Packet) ->
    State.

%% Before a stream goes on after TLS. True has the library compare the
%% certificate with the domain; false accepts it.
out_tls_verify(Verify, #{remote_server := Host} = State) ->
    case own(State, Host) orelse check(State, Host, <<"outgoing">>) of
        true -> Verify;
        {verified, _Name} -> false;
        unknown -> Verify;
        {closed, _Reason} -> true
    end.

%% Every way to establish a stream ends here, and dialback begins here. Without
%% the check above, such as without TLS, there is neither.
out_auth_result(#{stream_verified := true} = State, _Result) ->
    State;
out_auth_result(#{remote_server := Host} = State, _Result) ->
    ?LOG_WARNING("Not authenticated as ~ts: undetermined, not-asked: its certificate was not checked for this domain", [Host]),
    {stop, refuse(ejabberd_s2s_out, State, <<"not-asked">>)}.

%%% Incoming streams

in_sent(State, #starttls_proceed{}, ok) -> mod_s2s_dna_features:begins(State);
in_sent(State, _Packet, _Result) -> State.

%% Where TLS comes first, the stream has no host yet.
in_init({ok, #{stream_encrypted := true} = State}, _Opts) -> {ok, mod_s2s_dna_features:begins(State)};
in_init(Result, _Opts) -> Result.

%% The peer has said who it is. It is offered to bring a statement where every place
%% has answered that nothing is published.
in_start(#{remote_server := Host} = State) ->
    case not own(State, Host) andalso asked(State, Host, <<"incoming">>) of
        {_, {ok, #{unpublished := true, outcome := Outcome}}} when Outcome =/= <<"verified">> ->
            ?LOG_INFO("Nothing is published about ~ts: its server may bring a statement in the stream", [Host]),
            State#{dna_assert => offered};
        _ ->
            State
    end;
in_start(State) ->
    State.

in_recv(State, #xmlel{name = Name} = Element, Packet) ->
    case {Name, xmpp:get_ns(Element)} of
        {<<"assert">>, ?NS_DNA} -> asserted(State, Element);
        _ -> external(maps:remove(dna_assert, State), Packet)
    end.

%% asserted takes the statement that a peer brings, before anything else and where it
%% was offered. It answers with the result and the features that follow (RFC 6120,
%% Section 4.3.5).
asserted(#{dna_assert := offered, server_host := Server, remote_server := Host} = State, Element) ->
    {Problem, State1} = hear(maps:remove(dna_assert, State), Host, statement_in(Element)),
    {Question, Asked} = asked(State1, Host, <<"incoming">>),
    {Outcome, Reason} = result(Problem, Asked),
    State2 = ejabberd_s2s_in:send(State1, #xmlel{name = <<"result">>, attrs = [{<<"xmlns">>, ?NS_DNA}, {<<"outcome">>, Outcome}, {<<"reason">>, Reason}]}),
    case Outcome =:= <<"verified">> orelse verdict(Server, Host, Question, Asked) of
        true -> features(State2, [#sasl_mechanisms{list = [<<"EXTERNAL">>]}]);
        unknown -> features(State2, []);
        {closed, Why} -> refuse(ejabberd_s2s_in, State2, Why)
    end;
asserted(State, _Element) ->
    ejabberd_s2s_in:send(State, xmpp:serr_policy_violation(<<"No statement is taken on this stream now">>, <<"en">>)).

%% result is what the peer is told: the verdict about it as a whole, or what is wrong
%% with the element that it sent.
result(_, {ok, #{outcome := <<"verified">>}}) -> {<<"verified">>, <<"verified">>};
result(none, {ok, #{outcome := Outcome, reason := Reason}}) -> {Outcome, Reason};
result(none, {error, _}) -> {<<"undetermined">>, <<"unanswered">>};
result(Problem, _) -> {<<"refused">>, Problem}.

features(State, Mechanisms) ->
    ejabberd_s2s_in:send(State, #stream_features{sub_els = Mechanisms ++ ejabberd_s2s_in:unauthenticated_stream_features(State)}).

%% The library compares the certificate with remote_server and has no hook of
%% its own. It gets the name that was proven, for the time of this check.
external(#{stream_state := wait_for_sasl_request, stream_encrypted := true, remote_server := Host} = State,
         #sasl_auth{mechanism = <<"EXTERNAL">>}) ->
    case own(State, Host) orelse check(State, Host, <<"incoming">>) of
        true -> State;
        {verified, Name} -> State#{remote_server => Name, dna_source => Host};
        unknown -> State;
        {closed, Reason} -> refuse(ejabberd_s2s_in, State, Reason)
    end;
external(State, _Packet) ->
    State.

%% The stream may send for the source, and not for the name in the certificate.
in_auth_result(#{dna_source := Host, server_host := Server, auth_domains := Domains} = State, Accepted, Name) ->
    Others = sets:del_element(Name, Domains),
    Domains1 = case Accepted andalso ejabberd_s2s:allow_host(Server, Host) of
                   true -> sets:add_element(Host, Others);
                   false -> Others
               end,
    maps:remove(dna_source, State#{remote_server => Host, auth_domains => Domains1});
in_auth_result(State, _Accepted, _Name) ->
    State.

%% Dialback asks by DNS whom to believe. Here a peer begins it, perhaps for a
%% further domain on a stream that was authenticated for another one.
in_packet(State, #db_result{from = Host, to = To, type = undefined}) ->
    case own(State, Host) orelse check(State, Host, <<"incoming">>) of
        {closed, Reason} ->
            %% XEP-0220, Section 2.4: an error of one domain does not end the stream.
            Error = xmpp:err_policy_violation(message(Reason), <<"en">>),
            {stop, ejabberd_s2s_in:send(State, #db_result{from = To, to = Host, type = error, sub_els = [Error]})};
        _ ->
            State
    end;
in_packet(State, _Packet) ->
    State.

%%% Statements in streams

%% statement_in reads the statement in an element of a peer: a map, none if there is
%% none, or the reason to refuse it. The daemon judges encoding and text.
statement_in(#xmlel{children = Children}) ->
    case [Child || Child <- Children, not is_space(Child)] of
        [] ->
            none;
        [#xmlel{name = <<"statement">>, children = Inside} = Statement] ->
            Encoding = fxml:get_tag_attr_s(<<"encoding">>, Statement),
            Text = fxml:get_cdata(Inside),
            WellFormed = lists:member(xmpp:get_ns(Statement), [<<>>, ?NS_DNA]) andalso fxml:remove_cdata(Inside) =:= []
                andalso Encoding =/= <<>> andalso byte_size(Encoding) < 16,
            if not WellFormed -> <<"malformed-record">>;
               byte_size(Text) > ?MAX_STATEMENT -> <<"statement-too-large">>;
               true -> #{encoding => Encoding, text => Text}
            end;
        _ ->
            <<"malformed-record">>
    end.

is_space({xmlcdata, Text}) -> string:trim(Text) =:= <<>>;
is_space(_) -> false.

%% hear takes note of what a peer brought about a domain. It returns the reason to
%% refuse it, or none.
hear(State, Host, Statement) when is_map(Statement) ->
    {none, State#{dna_statement => {Host, Statement}}};
hear(#{stream_direction := out} = State, _Host, none) ->
    {none, State};
hear(State, Host, none) ->
    hear(State, Host, <<"malformed-record">>);
hear(State, Host, Reason) ->
    ?LOG_WARNING("The statement that the server of ~ts brought is not used: refused, ~ts", [Host, Reason]),
    {Reason, State}.

%%% The verdict

%% own reports whether ejabberd finds the certificate valid for a domain.
own(State, Host) ->
    case xmpp_stream_pkix:authenticate(State#{remote_server => Host}) of
        {ok, Host} -> true;
        _ -> false
    end.

%% check asks about a stream's certificate for a domain: {verified, Name};
%% unknown if the daemon knows of no statement, so that ejabberd's own rules
%% decide; or {closed, Reason} if nothing weaker may do.
check(#{server_host := Server} = State, Host, Direction) ->
    {Question, Asked} = asked(State, Host, Direction),
    verdict(Server, Host, Question, Asked).

%% asked returns a question and what came of it.
asked(#{server_host := Server} = State, Host, Direction) ->
    case question(State, Host, Direction) of
        {ok, Question} -> {Question, ask(Server, Question)};
        {error, _} = Error -> {none, Error}
    end.

verdict(Server, Host, Question, {ok, #{outcome := <<"verified">>, name := Name, text := Text} = Answer}) ->
    ?LOG_INFO("~ts may be served by ~ts (~ts): certificate accepted", [Host, Name, Text]),
    %% Once for each domain of a stream, however often the peer claims it.
    put({?MODULE, Host}, watched) =:= watched orelse watch(Server, Host, Question, Answer),
    {verified, Name};
verdict(_Server, Host, _Question, Asked) ->
    Reason = explain("not accepted", Host, Asked),
    case knows_none(Asked) of
        true -> unknown;
        false -> {closed, Reason}
    end.

%% knows_none reports whether the daemon looked and nothing is required.
knows_none({ok, #{required := false, reason := Reason}}) ->
    not lists:member(Reason, [<<"overloaded">>, <<"memory-failed">>]);
knows_none(_) ->
    false.

%% explain says in the log why a certificate was not accepted. It returns the
%% reason's code.
explain(What, Host, {error, Problem}) ->
    ?LOG_WARNING("Certificate ~ts for ~ts: undetermined, no-answer: ~ts", [What, Host, Problem]),
    <<"no-answer">>;
explain(What, Host, {ok, #{outcome := Outcome, reason := Reason, required := Required, text := Text}} = Asked) ->
    Rest = case knows_none(Asked) of
               true -> " (ejabberd's own rules decide)";
               false when Required -> " (it has a statement, so nothing weaker counts)";
               false -> ""
           end,
    ?LOG_WARNING("Certificate ~ts for ~ts: ~ts, ~ts: ~ts~ts", [What, Host, Outcome, Reason, Text, Rest]),
    Reason.

%% refuse ends a stream. The domain is not named: whose message is returned must
%% not learn it.
refuse(Module, State, Reason) ->
    Module:send(State, xmpp:serr_policy_violation(message(Reason), <<"en">>)).

message(Reason) -> <<"Your server's certificate is not accepted: ", Reason/binary>>.

%%% Open streams

%% watch asks again when the daemon says that it is time to, and ends the stream
%% of a domain that delegates no longer. It needs no hook, so that it goes on
%% after the module was stopped.
watch(Server, Host, Question, #{until := Until, refresh := Refresh}) ->
    Wait = Refresh - now_seconds(),
    wait(if Wait > 0 -> Wait; true -> ?RETRY end, Server, {Host, Question#{recheck => true}, Until}).

wait(Seconds, Server, {_, _, Until} = Watched) ->
    Wait = max(1, lists:min([Seconds, Until - now_seconds(), ?MAX_WAIT])),
    {ok, _} = timer:apply_after(timer:seconds(Wait), ?MODULE, ask_again, [self(), Server, Watched]),
    ok.

%% ask_again runs in a process of its own, and leaves what to do to the stream.
ask_again(Stream, Server, {_, #{direction := Direction} = Question, _} = Watched) ->
    is_process_alive(Stream) andalso
        (module(Direction)):update_state(Stream, {?MODULE, decide_again, [Watched, ask(Server, Question)]}).

decide_again(#{stream_state := disconnected} = State, _Watched, _Asked) ->
    State;
decide_again(#{server_host := Server} = State, {Host, Question, _}, {ok, #{outcome := <<"verified">>} = Answer}) ->
    watch(Server, Host, Question, Answer),
    State;
decide_again(#{server_host := Server} = State, {Host, #{direction := Direction}, Until} = Watched, Asked) ->
    Over = now_seconds() >= Until,
    case Asked of
        {ok, #{outcome := <<"undetermined">>}} when not Over -> wait(?RETRY, Server, Watched), State;
        {error, _} when not Over -> wait(?RETRY, Server, Watched), State;
        _ -> refuse(module(Direction), State, explain("no longer accepted", Host, Asked))
    end.

module(<<"incoming">>) -> ejabberd_s2s_in;
module(<<"outgoing">>) -> ejabberd_s2s_out.

now_seconds() -> os:system_time(second).

%%% The daemon

%% question is what to ask about a peer: it speaks for Host, and this is what it
%% showed in TLS, and brought in the stream about Host. ejabberd's TLS library has only the peer's own certificate, and
%% verified its chain to the CA file of s2s when the result is 0.
question(#{socket := Socket, ip := {IP, _Port}} = State, Host, Direction) ->
    try {list_to_binary(idna:utf8_to_ascii(Host)), xmpp_socket:get_peer_certificate(Socket, der)} of
        {Source, {ok, Certificate}} ->
            {ok, (brought(State, Host))#{source => Source, service => <<"_xmpp-server._tcp">>, direction => Direction,
                   chain => public_key:pem_encode([{'Certificate', Certificate, not_encrypted}]),
                   chain_verified => xmpp_socket:get_verify_result(Socket) =:= 0,
                   peer => list_to_binary(inet:ntoa(IP))}};
        {_, error} ->
            {error, <<"it showed no certificate, and only one that is shown in TLS can be checked">>}
    catch _:_ ->
            {error, <<"the domain has no ASCII form">>}
    end.

brought(#{dna_statement := {Host, Statement}}, Host) -> #{statement => Statement};
brought(_State, _Host) -> #{}.

%% ask returns the daemon's answer, or why there is none that can be used.
ask(Server, Question) ->
    try answer(Question, decode(post(Server, encode(Question))))
    catch
        throw:Problem -> {error, text(Problem)};
        _:Problem -> {error, text(io_lib:format("~0p; see whether dnaverify serve is running and listens there", [Problem]))}
    end.

answer(#{source := Source, direction := Direction},
       #{<<"version">> := 1, <<"source">> := Source, <<"direction">> := Direction, <<"required">> := Required, <<"outcome">> := Outcome} = A)
  when is_boolean(Required), Outcome =:= <<"refused">> orelse Outcome =:= <<"undetermined">> orelse Outcome =:= <<"verified">> ->
    Get = fun(Member) -> maps:get(Member, A, null) end,
    Until = seconds(Get(<<"valid_until">>)),
    Name = Get(<<"name">>),
    Usable = Outcome =/= <<"verified">> orelse is_binary(Name) andalso Until > now_seconds(),
    Usable orelse throw("verified without a name or an end, or past its end; see that the clocks agree"),
    {ok, #{outcome => Outcome, required => Required, name => Name, until => Until, refresh => seconds(Get(<<"refresh_at">>)),
           reason => text(Get(<<"reason">>)), text => words(Outcome, Get),
           unpublished => Get(<<"unpublished">>) =:= true}};
answer(_Question, _Other) ->
    throw("not an answer to the question; see that url leads to dnaverify serve").

words(<<"verified">>, Get) ->
    Brought = case Get(<<"found">>) of <<"stream">> -> ", by the statement that it brought"; _ -> "" end,
    text([Get(<<"method">>), ", until ", Get(<<"valid_until">>), Brought]);
words(_, Get) -> text([Get(<<"detail">>), "; ", Get(<<"hint">>)]).

seconds(Time) ->
    try calendar:rfc3339_to_system_time(binary_to_list(Time)) catch _:_ -> 0 end.

%% text makes a line for the log of something that may hold anything.
text(Something) ->
    try iolist_to_binary(Something) of
        Bytes -> << <<(if C >= $\s, C < 127 -> C; true -> $? end)>> || <<C>> <= binary:part(Bytes, 0, min(500, byte_size(Bytes))) >>
    catch _:_ -> <<>>
    end.

%% post sends a question and returns the body of the answer. HTTP/1.0 has no
%% chunks: the answer ends with the connection.
post(Server, Body) ->
    Url = gen_mod:get_module_opt(Server, ?MODULE, url),
    Timeout = gen_mod:get_module_opt(Server, ?MODULE, timeout),
    Deadline = now_milliseconds() + Timeout,
    #{host := Host, path := Path} = Parts = uri_string:parse(Url),
    Port = maps:get(port, Parts, 80),
    {ok, Address} = inet:parse_address(binary_to_list(Host)),
    Socket = reached(Url, gen_tcp:connect(Address, Port, [binary, {active, false}, {send_timeout, Timeout}], Timeout)),
    try
        ok = gen_tcp:send(Socket, ["POST ", Path, " HTTP/1.0\r\nHost: ", inet:ntoa(Address), "\r\nContent-Type: application/json\r\n",
                                   "Content-Length: ", integer_to_list(iolist_size(Body)), "\r\n\r\n", Body]),
        case binary:split(receive_all(Url, Socket, Deadline, <<>>), <<"\r\n\r\n">>) of
            [<<"HTTP/1.", _, " 200 ", _/binary>>, Answer] -> Answer;
            [<<"HTTP/1.", _, " ", Status:3/binary, _/binary>>, Answer] -> throw([Url, ": status ", Status, " ", Answer]);
            _ -> throw([Url, ": not an answer over HTTP"])
        end
    after
        gen_tcp:close(Socket)
    end.

reached(_Url, {ok, Value}) -> Value;
reached(Url, {error, timeout}) -> throw([Url, ": no answer in time; see whether dnaverify serve is running and listens there"]);
reached(Url, {error, Why}) -> throw([Url, ": ", atom_to_list(Why), "; see whether dnaverify serve is running and listens there"]).

receive_all(Url, _Socket, _Deadline, Received) when byte_size(Received) > ?MAX_ANSWER ->
    throw([Url, ": the answer is too long"]);
receive_all(Url, Socket, Deadline, Received) ->
    case gen_tcp:recv(Socket, 0, max(0, Deadline - now_milliseconds())) of
        {error, closed} -> Received;
        Other -> receive_all(Url, Socket, Deadline, <<Received/binary, (reached(Url, Other))/binary>>)
    end.

now_milliseconds() -> erlang:monotonic_time(millisecond).

%% From 24.06 ejabberd chooses the library for JSON. Before that it was jiffy.
encode(Question) ->
    case erlang:function_exported(misc, json_encode, 1) of
        true -> misc:json_encode(Question);
        false -> jiffy:encode(Question)
    end.

decode(Body) ->
    try
        case erlang:function_exported(misc, json_decode, 1) of
            true -> misc:json_decode(Body);
            false -> jiffy:decode(Body, [return_maps, {null_term, null}])
        end
    catch _:_ -> throw("not JSON; see that url leads to dnaverify serve")
    end.
