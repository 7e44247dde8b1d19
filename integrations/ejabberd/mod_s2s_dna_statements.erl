%% mod_s2s_dna_statements shows other servers the signed delegations that owners of
%% hosted domains handed over, in the stream (docs/stream.md). It judges nothing: the
%% module mod_s2s_dna does that, for the statements of others.
%%
%%   receiving:  stream features -> the statement of the domain that is asked for
%%   initiating: the other server takes statements -> the statement of the domain
%%               that connects, and then whatever the other server offers
%%
%% See README.md beside it.
-module(mod_s2s_dna_statements).
-behaviour(gen_mod).

-export([start/2, stop/1, reload/3, depends/2, mod_options/1, mod_opt_type/1, mod_doc/0]).
%% Hooks.
-export([in_init/2, in_sent/3, in_statements/2, out_recv/3]).

-include("xmpp.hrl").
-include_lib("kernel/include/file.hrl").
-include_lib("kernel/include/logger.hrl").

-define(NS_DNA, <<"urn:uuid:1b0c9ee8-2582-444b-9588-3ee63b2ff654">>).
%% Prosody ends a stream at an element of more than 10,000 bytes before
%% authentication, and the features hold more than the statement.
-define(MAX_TEXT, 8000).

start(Host, _Opts) -> mod_s2s_dna_features:start(Host, ?MODULE, hooks()).

stop(Host) -> mod_s2s_dna_features:stop(Host, ?MODULE, hooks()).

%% mod_s2s_dna has 40 for what is received: it hears the other server first.
hooks() ->
    [{s2s_in_handle_send, in_sent, 50},
     {s2s_in_dna_statements, in_statements, 50},
     {s2s_out_handle_recv, out_recv, 60}].

reload(_Host, _New, _Old) -> ok.

depends(_Host, _Opts) -> [].

mod_opt_type(statements) -> econf:path().

mod_options(_Host) -> [{statements, <<"/var/lib/ejabberd/dna">>}].

mod_doc() ->
    #{desc => "Shows other servers the delegations that owners of hosted domains signed and handed over.",
      opts => [{statements, #{value => "/var/lib/ejabberd/dna", desc => "A folder with statements, such as b.example/_xmpp-server._tcp.jws in it."}}]}.

%%% Receiving

in_sent(State, #starttls_proceed{}, ok) -> mod_s2s_dna_features:begins(State);
in_sent(State, _Packet, _Result) -> State.

%% Where TLS comes first, the stream has no host yet.
in_init({ok, #{stream_encrypted := true} = State}, _Opts) -> {ok, mod_s2s_dna_features:begins(State)};
in_init(Result, _Opts) -> Result.

in_statements(Statements, #{server_host := Server, lserver := Domain}) -> statement(Server, Domain) ++ Statements.

%%% Initiating

%% The statement is brought once, where the other server takes one and does not offer
%% EXTERNAL without it. Until the result has come, the stream is in a state that the
%% library does not know. There it acts on no features and no SASL.
out_recv(#{stream_state := wait_for_features, stream_encrypted := true, stream_authenticated := false,
           server_host := Server, server := Domain} = State, _Element, #stream_features{sub_els = Features} = Packet)
  when not is_map_key(dna_brought, State) ->
    case takes(Features) andalso not offers(Packet) andalso statement(Server, Domain) of
        [Statement] ->
            Assert = #xmlel{name = <<"assert">>, attrs = [{<<"xmlns">>, ?NS_DNA}], children = [Statement]},
            (ejabberd_s2s_out:send(State, Assert))#{dna_brought => true, stream_state => wait_for_result};
        _ ->
            State
    end;
out_recv(#{stream_state := wait_for_result, server := Domain, remote_server := Host} = State, #xmlel{name = <<"result">>} = Result, _Packet) ->
    case xmpp:get_ns(Result) of
        ?NS_DNA ->
            Said = [attribute(Name, Result) || Name <- [<<"outcome">>, <<"reason">>]],
            ?LOG_INFO("The server of ~ts says about ~ts and the statement that it was shown: ~ts, ~ts", [Host, Domain | Said]),
            State#{stream_state => wait_for_features};
        _ ->
            State
    end;
out_recv(State, _Element, _Packet) ->
    State.

takes(Features) ->
    case [Dna || #xmlel{name = <<"dna">>} = Dna <- Features, xmpp:get_ns(Dna) =:= ?NS_DNA] of
        [Dna] -> lists:member(fxml:get_tag_attr_s(<<"assert">>, Dna), [<<"true">>, <<"1">>]);
        _ -> false
    end.

offers(Packet) ->
    try xmpp:try_subtag(Packet, #sasl_mechanisms{}) of
        #sasl_mechanisms{list = Mechanisms} -> lists:member(<<"EXTERNAL">>, Mechanisms);
        false -> false
    catch _:_ -> true % the library ends the stream
    end.

%% attribute is for the log: the other server chose it.
attribute(Name, Element) ->
    Value = fxml:get_tag_attr_s(Name, Element),
    << <<(if C >= $a, C =< $z; C =:= $- -> C; true -> $? end)>> || <<C>> <= binary:part(Value, 0, min(40, byte_size(Value))) >>.

%%% Files

%% statement is the statement of a hosted domain as an element, in a list, or []. The
%% file is read for each stream, so that a new one is shown at once. Of two files the
%% one that was changed last counts.
statement(Server, Domain) ->
    Name = filename:join([gen_mod:get_module_opt(Server, ?MODULE, statements), idna:utf8_to_ascii(Domain), "_xmpp-server._tcp"]),
    Files = [{Changed, Encoding, File}
             || {Encoding, File} <- [{<<"jws">>, iolist_to_binary([Name, ".jws"])}, {<<"ac">>, iolist_to_binary([Name, ".p7c"])}],
                {ok, #file_info{mtime = Changed}} <- [file:read_file_info(File, [{time, posix}])]],
    case lists:keysort(1, Files) of
        [] ->
            [];
        Sorted ->
            {_, Encoding, File} = lists:last(Sorted),
            element_of(Encoding, File, read(File))
    end.

read(File) ->
    case file:open(File, [read, raw, binary]) of
        {ok, Open} ->
            try file:read(Open, ?MAX_TEXT + 1) after file:close(Open) end;
        Error ->
            Error
    end.

element_of(Encoding, File, {ok, Content}) ->
    Text = text(Encoding, Content),
    if Text =:= none -> refuse(File, "it is not a statement in this encoding");
       byte_size(Text) > ?MAX_TEXT -> refuse(File, io_lib:format("it is longer than the ~b characters that a stream can carry", [?MAX_TEXT]));
       true -> [#xmlel{name = <<"statement">>, attrs = [{<<"xmlns">>, ?NS_DNA}, {<<"encoding">>, Encoding}], children = [{xmlcdata, Text}]}]
    end;
element_of(_Encoding, File, eof) ->
    refuse(File, "it is empty");
element_of(_Encoding, File, {error, Why}) ->
    refuse(File, file:format_error(Why)).

text(<<"ac">>, Content) ->
    base64:encode(Content);
text(<<"jws">>, Content) ->
    Text = string:trim(Content, trailing),
    case re:run(Text, <<"^[A-Za-z0-9_.-]+$">>, [{capture, none}, dollar_endonly]) of
        match -> Text;
        nomatch -> none
    end.

refuse(File, Problem) ->
    ?LOG_ERROR("~ts is not shown to other servers: ~ts", [File, Problem]),
    [].
