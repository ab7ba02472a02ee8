using Grpc.AspNetCore.Server.Model;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Serve.Http;
using Serve.Inference.Models;
using Serve.Inference.Tensors;
using Serve.Routes;

namespace Serve.Inference.Grpc;

/// <summary>The methods ModelInfer and ModelStreamInfer of one model. Holds no state.</summary>
/// <param name="server">The model.</param>
/// <param name="maxMessageSize">Limit of a received message in bytes.</param>
/// <param name="logger">Receives failures of the server.</param>
internal sealed partial class ModelGrpcService(OnnxModelServer server, int maxMessageSize, ILogger logger)
{
    /// <summary>Name of the service in the paths of its methods.</summary>
    public const string Name = "inference.GRPCInferenceService";

    public const string Infer = "ModelInfer";
    public const string StreamInfer = "ModelStreamInfer";

    public GrpcServiceEndpoints BuildEndpoints() => GrpcServiceEndpoints.Build<ModelGrpcService>(AddMethods, maxMessageSize);

    private void AddMethods(ServiceMethodProviderContext<ModelGrpcService> methods)
    {
        // Unary on the wire. As a server-streaming method it writes its response itself, while the memory of the outputs is still valid.
        methods.AddServerStreamingMethod(
            new Method<PooledBufferWriter, InferResponseMessage>(MethodType.ServerStreaming, Name, Infer, GrpcMarshallers.Bytes, InferResponseMessage.Marshaller),
            [],
            (_, message, responses, context) => RunAsync(context, () => InferAsync(message, responses, context)));
        methods.AddDuplexStreamingMethod(
            new Method<PooledBufferWriter, InferResponseMessage>(MethodType.DuplexStreaming, Name, StreamInfer, GrpcMarshallers.Bytes, InferResponseMessage.Marshaller),
            [],
            (_, messages, responses, context) => RunAsync(context, () => StreamAsync(messages, responses, context)));
    }

    private async Task RunAsync(ServerCallContext context, Func<Task> serve)
    {
        try
        {
            await serve();
        }
        catch (Exception error)
        {
            if (GrpcErrors.IsServerFailure(error))
                Log.CallFailed(logger, context.Method, error);
            throw GrpcErrors.ToRpcException(error);
        }
    }

    private Task InferAsync(PooledBufferWriter message, IServerStreamWriter<InferResponseMessage> responses, ServerCallContext context)
    {
        // Flushed together with the status.
        responses.WriteOptions = new WriteOptions(WriteFlags.BufferHint);
        var model = server.NameOf(context.GetHttpContext());
        return ServeAsync(message, new() { Urgency = RequestUrgency.Of(context.GetHttpContext()) }, model, (version, request, isRaw, outputs) =>
            responses.WriteAsync(InferResponseMessage.Create(model, version.Name, request, isRaw, outputs)), context.CancellationToken);
    }

    /// <summary>Serves the requests one after the other. A request that fails is answered with its error and does not end the stream.</summary>
    private async Task StreamAsync(IAsyncStreamReader<PooledBufferWriter> messages, IServerStreamWriter<InferResponseMessage> responses, ServerCallContext context)
    {
        var model = server.NameOf(context.GetHttpContext());
        while (await MoveNextAsync(messages, context.CancellationToken))
        {
            var request = new InferenceRequest { Urgency = RequestUrgency.Of(context.GetHttpContext()) };
            try
            {
                await ServeAsync(messages.Current, request, model, (version, request, _, outputs) =>
                    responses.WriteAsync(InferResponseMessage.CreateStreamed(model, version.Name, request, outputs)), context.CancellationToken);
            }
            catch (Exception error) when (!context.CancellationToken.IsCancellationRequested)
            {
                await responses.WriteAsync(InferResponseMessage.CreateError(request.Id, GrpcErrors.ToRpcException(error).Status.Detail));
            }
        }
    }

    private async Task<bool> MoveNextAsync(IAsyncStreamReader<PooledBufferWriter> messages, CancellationToken cancellationToken)
    {
        try
        {
            return await messages.MoveNext(cancellationToken);
        }
        catch (RpcException error) when (error.StatusCode == StatusCode.ResourceExhausted)
        {
            throw GrpcErrors.MessageTooLarge(maxMessageSize);
        }
    }

    private async Task ServeAsync(
        PooledBufferWriter message, InferenceRequest request, string model,
        Func<LoadedModelVersion, InferenceRequest, bool, ModelOutputs, Task> answer, CancellationToken cancellationToken)
    {
        request.Own(message);
        var isRaw = false;
        await server.ServeAsync(request, Read, (version, outputs) => answer(version, request, isRaw, outputs), cancellationToken);

        LoadedModelVersion Read()
        {
            (var name, isRaw) = ModelInferRequestReader.Read(message.Written, request);
            return name == model
                ? server.Loaded.Find(request.Version)
                : throw new BadInputException($"The request is for model '{name}', but its call is bound to model '{model}' by the first request.");
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 6001, Level = LogLevel.Error, Message = "gRPC call {Method} failed")]
        public static partial void CallFailed(ILogger logger, string method, Exception error);
    }
}
