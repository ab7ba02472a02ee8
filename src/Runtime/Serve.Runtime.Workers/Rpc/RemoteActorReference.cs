using System.Runtime.CompilerServices;
using System.Text.Json;
using Google.Protobuf;
using Grpc.Core;
using Serve.Calls;
using Serve.Routes;
using Serve.Runtime.Methods;
using Serve.Runtime.Wire;

namespace Serve.Runtime.Workers.Rpc;

/// <summary>An actor in another process. Holds no state but its way there.</summary>
internal sealed class RemoteActorReference(ActorId id, HostProcessAddress process, CallChannels channels) : ActorReference
{
    private readonly Metadata _headers = ProcessAccessToken.ToMetadata(process.Token);
    private readonly Lazy<Wire.Calls.CallsClient> _client = new(() => new(channels.To(process)));

    public override ActorId Id => id;

    public override HostProcessAddress Process => process;

    public override async ValueTask<TResult> InvokeAsync<TResult>(MethodCall<TResult> call, CallContext context, CancellationToken cancellationToken)
    {
        var request = Request(call, context);
        cancellationToken.ThrowIfCancellationRequested();
        CallReply reply;
        try
        {
            using var running = _client.Value.CallAsync(request, new Grpc.Core.CallOptions(_headers, cancellationToken: cancellationToken));
            reply = await running.ResponseAsync.ConfigureAwait(false);
        }
        catch (RpcException broken)
        {
            throw Translate(broken, cancellationToken);
        }

        return Read<TResult>(reply, call.Method);
    }

    public override async IAsyncEnumerable<TItem> StreamAsync<TItem>(
        MethodCall<IAsyncEnumerable<TItem>> call, CallContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var request = Request(call, context);
        cancellationToken.ThrowIfCancellationRequested();

        // Disposing it tells the other side to stop when the loop is left early.
        using var running = _client.Value.Stream(request, new Grpc.Core.CallOptions(_headers, cancellationToken: cancellationToken));
        while (true)
        {
            try
            {
                if (!await running.ResponseStream.MoveNext(cancellationToken).ConfigureAwait(false))
                    yield break;
            }
            catch (RpcException broken)
            {
                throw Translate(broken, cancellationToken);
            }

            yield return Read<TItem>(running.ResponseStream.Current, call.Method);
        }
    }

    private CallRequest Request<TResult>(MethodCall<TResult> call, CallContext context)
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

        var request = new CallRequest { ActorId = id.Value, Method = call.Method, Arguments = UnsafeByteOperations.UnsafeWrap(arguments) };
        if (context.RequestId is { } requestId)
            request.RequestId = requestId;
        if (context.MultiplexedModelId is { } modelId)
            request.ModelId = modelId;
        return request;
    }

    private TResult Read<TResult>(CallReply reply, string method)
    {
        if (reply.Error is { } error)
            throw CallErrorConverter.FromWire(error, id.Value);
        if (reply.Result.IsEmpty)
            return default!;
        try
        {
            return JsonSerializer.Deserialize<TResult>(reply.Result.Span, ServeJson.Calls)!;
        }
        catch (Exception thrown) when (thrown is JsonException or NotSupportedException or InvalidOperationException)
        {
            throw new BadInputException($"The result of {method} cannot be read as {CSharpTypeNames.Format(typeof(TResult))}. {thrown.Message}", thrown);
        }
    }

    private Exception Translate(RpcException broken, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return new OperationCanceledException("The call was cancelled.", broken, cancellationToken);

        // Only a connection that was never made proves that the call did not start.
        if (broken.Status.DebugException is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError })
        {
            channels.Forget(process.ProcessId);
            return new CallRefusedException(id.Value, gone: true, broken);
        }

        return broken.StatusCode == StatusCode.Unauthenticated
            ? new CallRefusedException(id.Value, gone: true, broken)
            : new ReplicaDiedException($"Replica {id} died while the call was on it: its process ended or its connection broke.", broken);
    }
}
