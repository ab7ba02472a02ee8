using System.Runtime.CompilerServices;
using System.Text.Json;
using Google.Protobuf;
using Serve.Calls;
using Serve.Runtime.Methods;
using Serve.Runtime.Serialization;
using Serve.Runtime.Wire;
using Serve.Runtime.Workers.Transport;

namespace Serve.Runtime.Workers.Connections;

/// <summary>A reference to an actor that another process hosts. Its state is the connection that it used last.</summary>
internal sealed class RemoteActorReference(ActorId id, HostProcessAddress process, ProcessConnectionPool connections) : ICallTarget
{
    private ProcessConnection? _connection;

    public async ValueTask<TResult> InvokeAsync<TResult>(MethodCall<TResult> call, CallContext context, CancellationToken cancellationToken)
    {
        var run = CreateRun(call, context);
        cancellationToken.ThrowIfCancellationRequested();
        Done done;
        try
        {
            var connection = await ConnectAsync(cancellationToken).ConfigureAwait(false);
            done = await connection.CallAsync(run, cancellationToken).ConfigureAwait(false);
        }
        catch (ConnectionLostException lost)
        {
            throw Translate(lost, cancellationToken);
        }

        if (done.Error is { } error)
            throw WireExceptionConverter.FromWire(error);
        return done.Value is { } value ? Read<TResult>(value, call.Method) : default!;
    }

    public async IAsyncEnumerable<TItem> StreamAsync<TItem>(
        MethodCall<IAsyncEnumerable<TItem>> call, CallContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var run = CreateRun(call, context);
        cancellationToken.ThrowIfCancellationRequested();
        await using var items = ReadAsync(run, cancellationToken).GetAsyncEnumerator(cancellationToken);
        while (true)
        {
            try
            {
                if (!await items.MoveNextAsync().ConfigureAwait(false))
                    yield break;
            }
            catch (ConnectionLostException lost)
            {
                throw Translate(lost, cancellationToken);
            }

            yield return Read<TItem>(items.Current, call.Method);
        }
    }

    private async IAsyncEnumerable<Value> ReadAsync(Run run, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var connection = await ConnectAsync(cancellationToken).ConfigureAwait(false);
        await foreach (var item in connection.StreamAsync(run, cancellationToken).ConfigureAwait(false))
            yield return item;
    }

    private ValueTask<ProcessConnection> ConnectAsync(CancellationToken cancellationToken) =>
        _connection is { IsClosed: false } open ? new(open) : new(ConnectAnewAsync(cancellationToken));

    private async Task<ProcessConnection> ConnectAnewAsync(CancellationToken cancellationToken) =>
        _connection = await connections.ConnectAsync(process, cancellationToken).ConfigureAwait(false);

    private Run CreateRun<TResult>(MethodCall<TResult> call, CallContext context)
    {
        if (process.CallAddress is null)
            throw new CallRefusedException(id.Value, gone: true);
        byte[] arguments;
        try
        {
            arguments = JsonSerializer.SerializeToUtf8Bytes(call.GetArguments(), ServeJson.Calls);
        }
        catch (Exception thrown) when (thrown is NotSupportedException or JsonException or InvalidOperationException)
        {
            throw new BadInputException($"An argument of {call.Method} cannot be written as JSON. {thrown.Message}", thrown);
        }

        var run = new Run { ActorId = id.Value, Method = call.Method };
        run.Arguments.Add(new Value { Format = (int)EncodedValueFormat.Json, Inline = UnsafeByteOperations.UnsafeWrap(arguments) });
        if (context.RequestId is { } requestId)
            run.RequestId = requestId;
        if (context.MultiplexedModelId is { } modelId)
            run.ModelId = modelId;
        run.Priority = context.Urgency.Priority;
        // A deadline that has passed must not become none.
        if (context.Urgency.RemainingTime(TimeProvider.System) is { } remaining)
            run.TimeoutUs = Math.Max(1, (long)remaining.TotalMicroseconds);
        return run;
    }

    private static TResult Read<TResult>(Value value, string method)
    {
        if (value.Inline.IsEmpty)
            return default!;
        try
        {
            return JsonSerializer.Deserialize<TResult>(value.Inline.Span, ServeJson.Calls)!;
        }
        catch (Exception thrown) when (thrown is JsonException or NotSupportedException or InvalidOperationException)
        {
            throw new BadInputException($"The result of {method} cannot be read as {CSharpTypeNames.Format(typeof(TResult))}. {thrown.Message}", thrown);
        }
    }

    private Exception Translate(ConnectionLostException lost, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return new OperationCanceledException("The call was canceled.", lost, cancellationToken);
        return lost.MayHaveStarted
            ? new ReplicaDiedException($"Replica {id} died during the call: its process exited or the connection to it broke. The call may have partially executed.", lost)
            : new CallRefusedException(id.Value, gone: true, lost);
    }
}
