using Google.Protobuf;
using Grpc.Core;
using Serve.Calls;
using Serve.Runtime.Methods;
using Serve.Runtime.Wire;

namespace Serve.Runtime.Workers.Rpc;

/// <summary>Takes calls from other processes to actors of this one. Holds no state.</summary>
internal sealed class CallService(ProcessActorHost host) : Wire.Calls.CallsBase
{
    public override async Task<CallReply> Call(CallRequest request, ServerCallContext context)
    {
        try
        {
            var call = new JsonMethodCall<JsonResultText>(request.Method, request.Arguments.Memory);
            return Reply(await Require(request).InvokeAsync(call, ContextOf(request), context.CancellationToken));
        }
        catch (Exception thrown)
        {
            return new CallReply { Error = CallErrorConverter.ToWire(thrown) };
        }
    }

    public override async Task Stream(CallRequest request, IServerStreamWriter<CallReply> responseStream, ServerCallContext context)
    {
        try
        {
            var call = new JsonMethodCall<IAsyncEnumerable<JsonResultText>>(request.Method, request.Arguments.Memory);
            await foreach (var item in Require(request).StreamAsync(call, ContextOf(request), context.CancellationToken))
                await responseStream.WriteAsync(Reply(item), context.CancellationToken);
        }
        catch (Exception thrown) when (!context.CancellationToken.IsCancellationRequested)
        {
            await responseStream.WriteAsync(new CallReply { Error = CallErrorConverter.ToWire(thrown) }, context.CancellationToken);
        }
    }

    // Nobody writes to the bytes again, so they need not be copied.
    private static CallReply Reply(JsonResultText text) => new() { Result = UnsafeByteOperations.UnsafeWrap(text.Utf8) };

    private static CallContext ContextOf(CallRequest request) => !request.HasRequestId && !request.HasModelId
        ? CallContext.None
        : new()
        {
            RequestId = request.HasRequestId ? request.RequestId : null,
            MultiplexedModelId = request.HasModelId ? request.ModelId : null,
        };

    private HostedActor Require(CallRequest request) =>
        host.Find(new(request.ActorId)) ?? throw new CallRefusedException(request.ActorId, gone: true);
}
