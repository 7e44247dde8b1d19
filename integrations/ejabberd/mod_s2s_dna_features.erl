%% mod_s2s_dna_features is no module to configure. mod_s2s_dna and
%% mod_s2s_dna_statements use it for the stream features of docs/stream.md.
%%
%% Between TLS and the features ejabberd has no hook that has the stream, and the
%% library offers EXTERNAL whenever there is TLS, unless its callback module says
%% something else. So this module takes the place of ejabberd_s2s_in for so long. It
%% runs two hooks of its own, and leaves everything else to ejabberd_s2s_in.
%%
%%   s2s_in_dna_start       State -> State      the peer has said who it is
%%   s2s_in_dna_statements  [], [State] -> [El] what to show to it
%%
%% A peer is offered to bring a statement, and no EXTERNAL yet, where dna_assert in the
%% state is `offered`.
-module(mod_s2s_dna_features).

-export([start/3, stop/3, begins/1]).
%% Callbacks of xmpp_stream_in.
-export([handle_stream_start/2, sasl_mechanisms/2, unauthenticated_stream_features/1, handle_send/3,
         tls_options/1, tls_required/1, tls_enabled/1, handle_call/3, handle_cast/2, handle_info/2, handle_cdata/2,
         handle_stream_end/2, terminate/2]).

-include("xmpp.hrl").

%% start adds the hooks of a module to a host, and in_init to all hosts.
start(Host, Module, Hooks) ->
    [ejabberd_hooks:add(Hook, Host, Module, Function, Priority) || {Hook, Function, Priority} <- Hooks],
    ejabberd_hooks:add(s2s_in_init, Module, in_init, 50).

%% in_init stays, and does nothing where the others are not there.
stop(Host, Module, Hooks) ->
    [ejabberd_hooks:delete(Hook, Host, Module, Function, Priority) || {Hook, Function, Priority} <- Hooks],
    ok.

%% begins is for when TLS begins.
begins(State) -> State#{mod => ?MODULE}.

handle_stream_start(Start, #{stream_version := {1, _}} = State) ->
    case ejabberd_s2s_in:handle_stream_start(Start, State) of
        #{stream_state := disconnected} = State1 -> State1;
        #{server_host := Server} = State1 -> ejabberd_hooks:run_fold(s2s_in_dna_start, Server, State1, [])
    end;
handle_stream_start(Start, State) -> % it gets no features
    ejabberd_s2s_in:handle_stream_start(Start, State#{mod => ejabberd_s2s_in}).

sasl_mechanisms(Mechanisms, #{dna_assert := offered}) -> lists:delete(<<"EXTERNAL">>, Mechanisms);
sasl_mechanisms(Mechanisms, _State) -> Mechanisms.

unauthenticated_stream_features(#{server_host := Server} = State) ->
    Statements = ejabberd_hooks:run_fold(s2s_in_dna_statements, Server, [], [State]),
    Assert = [{<<"assert">>, <<"true">>} || #{dna_assert := offered} <- [State]],
    Namespace = {<<"xmlns">>, <<"urn:uuid:1b0c9ee8-2582-444b-9588-3ee63b2ff654">>},
    [#xmlel{name = <<"dna">>, attrs = [Namespace | Assert], children = Statements} || Statements =/= [] orelse Assert =/= []]
        ++ ejabberd_s2s_in:unauthenticated_stream_features(State).

%% The first that is sent are the features, or an error.
handle_send(Packet, Result, State) -> ejabberd_s2s_in:handle_send(Packet, Result, State#{mod => ejabberd_s2s_in}).

tls_options(State) -> ejabberd_s2s_in:tls_options(State).
tls_required(State) -> ejabberd_s2s_in:tls_required(State).
tls_enabled(State) -> ejabberd_s2s_in:tls_enabled(State).
handle_call(Request, From, State) -> ejabberd_s2s_in:handle_call(Request, From, State).
handle_cast(Message, State) -> ejabberd_s2s_in:handle_cast(Message, State).
handle_info(Info, State) -> ejabberd_s2s_in:handle_info(Info, State).
handle_cdata(Data, State) -> ejabberd_s2s_in:handle_cdata(Data, State).
handle_stream_end(Reason, State) -> ejabberd_s2s_in:handle_stream_end(Reason, State).
terminate(Reason, State) -> ejabberd_s2s_in:terminate(Reason, State).
