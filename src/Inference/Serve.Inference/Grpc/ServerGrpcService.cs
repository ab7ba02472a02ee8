using System.Buffers;
using Google.Protobuf;
using Inference;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Serve.Inference.Models;
using Serve.Runtime.Http;
using Serve.Runtime.RawGrpc;
using Serve.Specs;
using Statistics = Serve.Inference.ModelStatistics;

namespace Serve.Inference.Grpc;

/// <summary>
/// The protocol over gRPC. What concerns the server is answered here; a request for inference goes to the model that its message names: the name is looked
/// for in the first bytes, which are left where they are, and the path becomes the model's. Holds no state.
/// </summary>
/// <param name="server">What is answered.</param>
/// <param name="options">Who may load and unload.</param>
/// <param name="time">The clock of the clients' time limits.</param>
/// <param name="log">For what should not happen.</param>
internal sealed partial class ServerGrpcService(ServedModelCatalog server, OpenInferenceOptions options, TimeProvider time, ILogger<ServerGrpcService> log)
{
    /// <summary>What the paths of its methods begin with.</summary>
    public const string Service = "/inference.GRPCInferenceService/";

    // Every serializer writes the model's name first; whoever does not sends small messages.
    private const int PeekLimit = 256 * 1024;

    // Whoever serves the call ends it itself when the client's time is over. This is for one that waits for a replica, or for its first message.
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(250);

    /// <summary>Answers a call.</summary>
    /// <param name="context">The call.</param>
    /// <param name="method">The method's name.</param>
    /// <param name="next">The rest of the gateway, which finds the model.</param>
    /// <param name="rootPath">What stands before every route prefix.</param>
    /// <returns>Completes when it is answered.</returns>
    public async Task AnswerAsync(HttpContext context, string method, RequestDelegate next, string rootPath)
    {
        if (method is "ModelInfer" or "ModelStreamInfer")
        {
            await PassOnAsync(context, method, next, rootPath);
            return;
        }

        var wrong = await GrpcAnswers.RunAsync(context, stop => AnswerAsync(context, method, stop), time);
        if (wrong is not null)
            Log.RequestFailed(log, context.TraceIdentifier, wrong);
    }

    private async Task PassOnAsync(HttpContext context, string method, RequestDelegate next, string rootPath)
    {
        var clientGone = context.RequestAborted;
        using var over = GrpcAnswers.TimeLimit(context.Request) is { } limit ? new CancellationTokenSource(limit + Grace, time) : null;
        using var either = over is null ? null : CancellationTokenSource.CreateLinkedTokenSource(clientGone, over.Token);
        if (either is not null)
            context.RequestAborted = either.Token;
        Exception? failure = null;
        try
        {
            if (method == "ModelStreamInfer")
                LimitEachMessage(context);
            var model = await GrpcFrames.PeekAsync(context.Request, FindModel, PeekLimit, context.RequestAborted);
            if (string.IsNullOrEmpty(model))
                throw new GrpcException(GrpcStatus.InvalidArgument, $"The request names no model in its first {PeekLimit} bytes (model_name).");
            server.Require(model);
            context.Request.Path = $"{rootPath}{ApplicationPackage.ModelPrefix}{model}{Service}{method}";
            await next(context);
        }
        catch (Exception thrown) when (thrown is ServeException or GrpcException or BadHttpRequestException || IsOver())
        {
            failure = thrown;
        }
        finally
        {
            if (either is not null)
                context.RequestAborted = clientGone;
        }

        // A replica that was stopped by its token may have returned without a word.
        if (IsOver() && !context.Response.HasStarted)
            failure = new GrpcException(GrpcStatus.DeadlineExceeded, GrpcAnswers.TimeIsOver);
        if (failure is not null)
            await FailAsync(context, failure);

        bool IsOver() => over?.IsCancellationRequested is true && !clientGone.IsCancellationRequested;
    }

    private async Task FailAsync(HttpContext context, Exception failure)
    {
        if (context.Response.HasStarted)
        {
            context.Abort();
            return;
        }

        context.Response.Clear();
        await GrpcAnswers.RunAsync(context, _ => throw failure, time);
    }

    // A stream may last: the limit is for each of its messages, which the replica counts.
    private static void LimitEachMessage(HttpContext context)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is not { IsReadOnly: false } server)
            return;
        context.Features.Set<IHttpMaxRequestBodySizeFeature>(new RequestBodyLimit(server, server.MaxRequestBodySize));
        server.MaxRequestBodySize = null;
    }

    private Task AnswerAsync(HttpContext context, string method, CancellationToken stop) => method switch
    {
        "ServerLive" => AnswerAsync(context, ServerLiveRequest.Parser, static _ => new ServerLiveResponse { Live = true }, stop),
        "ServerReady" => AnswerAsync(context, ServerReadyRequest.Parser, _ => new ServerReadyResponse { Ready = server.IsReady }, stop),
        "ServerMetadata" => AnswerAsync(context, ServerMetadataRequest.Parser, static _ => Describe(), stop),
        "ModelReady" => AnswerAsync(context, ModelReadyRequest.Parser,
            async request => new ModelReadyResponse { Ready = await server.IsModelReadyAsync(request.Name, request.Version, stop) }, stop),
        "ModelMetadata" => AnswerAsync(context, ModelMetadataRequest.Parser,
            async request => ToWire(await server.DescribeAsync(request.Name, request.Version, stop)), stop),
        "ModelConfig" => AnswerAsync(context, ModelConfigRequest.Parser,
            async request => new ModelConfigResponse { Config = ToWire(await server.ConfigureAsync(request.Name, request.Version, stop)) }, stop),
        "ModelStatistics" => AnswerAsync(context, ModelStatisticsRequest.Parser,
            async request => new ModelStatisticsResponse { ModelStats = { (await server.GetStatisticsAsync(request.Name, request.Version, stop)).Select(ToWire) } }, stop),
        "RepositoryIndex" => AnswerAsync(context, RepositoryIndexRequest.Parser, request =>
        {
            CheckRepository(request.RepositoryName);
            return IndexAsync(request.Ready, stop);
        }, stop),
        "RepositoryModelLoad" => AnswerAsync(context, RepositoryModelLoadRequest.Parser, async request =>
        {
            Guard(context);
            CheckRepository(request.RepositoryName);
            ServedModelCatalog.ValidateLoadParameters(request.Parameters.Keys);
            await server.Repository.LoadAsync(request.ModelName, stop);
            return new RepositoryModelLoadResponse();
        }, stop),
        "RepositoryModelUnload" => AnswerAsync(context, RepositoryModelUnloadRequest.Parser, async request =>
        {
            Guard(context);
            CheckRepository(request.RepositoryName);
            await server.Repository.UnloadAsync(request.ModelName, stop);
            return new RepositoryModelUnloadResponse();
        }, stop),
        _ => throw new GrpcException(GrpcStatus.Unimplemented, $"{Service[1..]}{method} is not offered here."),
    };

    private static Task AnswerAsync<TRequest>(HttpContext context, MessageParser<TRequest> parser, Func<TRequest, IMessage> answer, CancellationToken stop)
        where TRequest : IMessage<TRequest> =>
        AnswerAsync(context, parser, request => Task.FromResult(answer(request)), stop);

    private static async Task AnswerAsync<TRequest, TResponse>(
        HttpContext context, MessageParser<TRequest> parser, Func<TRequest, Task<TResponse>> answer, CancellationToken stop)
        where TRequest : IMessage<TRequest>
        where TResponse : IMessage
    {
        using var message = await GrpcFrames.RequireAsync(context.Request, stop);
        await GrpcAnswers.WriteAsync(context, await answer(parser.ParseFrom(message.Written.Span)), stop);
    }

    private static ServerMetadataResponse Describe() =>
        new() { Name = ServedModelCatalog.Name, Version = ServedModelCatalog.Version, Extensions = { ServedModelCatalog.Extensions } };

    private async Task<RepositoryIndexResponse> IndexAsync(bool readyOnly, CancellationToken stop) => new()
    {
        Models =
        {
            (await server.IndexAsync(readyOnly, stop)).Select(each => new RepositoryIndexResponse.Types.ModelIndex
            {
                Name = each.Name,
                Version = each.Version,
                State = each.State,
                Reason = each.Reason,
            }),
        },
    };

    private static void CheckRepository(string name)
    {
        if (name.Length > 0)
            throw new BadInputException($"There is no repository '{name}': there is one, without a name. Leave repository_name empty.");
    }

    private void Guard(HttpContext context)
    {
        if (RequestGuard.Check(context.Request, options.Guard) is { } refusal)
            throw new GrpcException(refusal.Status == StatusCodes.Status401Unauthorized ? GrpcStatus.Unauthenticated : GrpcStatus.PermissionDenied, refusal.Detail);
    }

    // The first field of the message, as a rule: a tag of one byte, a length, the name.
    private static string? FindModel(ReadOnlySequence<byte> message, bool isWhole)
    {
        var input = new RequestModelNameReader(message);
        return input.Read() ?? (isWhole ? "" : null);
    }

    private static ModelMetadataResponse ToWire(ModelMetadata model) => new()
    {
        Name = model.Name,
        Versions = { model.Versions },
        Platform = model.Platform,
        Inputs = { model.Inputs.Select(ToWire) },
        Outputs = { model.Outputs.Select(ToWire) },
        Properties = { model.Properties },
    };

    private static ModelMetadataResponse.Types.TensorMetadata ToWire(TensorMetadata tensor) =>
        new() { Name = tensor.Name, Datatype = tensor.Datatype, Shape = { tensor.Shape } };

    private static ModelConfig ToWire(ModelConfiguration model) => new()
    {
        Name = model.Name,
        Platform = model.Platform,
        Backend = model.Backend,
        MaxBatchSize = model.MaxBatchSize,
        Input = { model.Input.Select(input => new ModelInput { Name = input.Name, DataType = ToWire(input.DataType), Dims = { input.Dims } }) },
        Output = { model.Output.Select(output => new ModelOutput { Name = output.Name, DataType = ToWire(output.DataType), Dims = { output.Dims } }) },
        DynamicBatching = model.DynamicBatching is { } batching ? new() { MaxQueueDelayMicroseconds = (ulong)batching.MaxQueueDelayMicroseconds } : null,
        DefaultModelFilename = model.DefaultModelFilename,
    };

    // TYPE_FP32 is TypeFp32 in the generated code.
    private static DataType ToWire(string type) => Enum.Parse<DataType>(type.Replace("_", "", StringComparison.Ordinal), ignoreCase: true);

    private static global::Inference.ModelStatistics ToWire(Statistics found) => new()
    {
        Name = found.Name,
        Version = found.Version,
        LastInference = (ulong)found.LastInference,
        InferenceCount = (ulong)found.InferenceCount,
        ExecutionCount = (ulong)found.ExecutionCount,
        InferenceStats = new()
        {
            Success = ToWire(found.InferenceStats.Success),
            Fail = ToWire(found.InferenceStats.Fail),
            Queue = ToWire(found.InferenceStats.Queue),
            ComputeInput = ToWire(found.InferenceStats.ComputeInput),
            ComputeInfer = ToWire(found.InferenceStats.ComputeInfer),
            ComputeOutput = ToWire(found.InferenceStats.ComputeOutput),
            CacheHit = ToWire(found.InferenceStats.CacheHit),
            CacheMiss = ToWire(found.InferenceStats.CacheMiss),
        },
        BatchStats =
        {
            found.BatchStats.Select(batch => new InferBatchStatistics
            {
                BatchSize = (ulong)batch.BatchSize,
                ComputeInput = ToWire(batch.ComputeInput),
                ComputeInfer = ToWire(batch.ComputeInfer),
                ComputeOutput = ToWire(batch.ComputeOutput),
            }),
        },
    };

    private static StatisticDuration ToWire(DurationStatistic duration) => new() { Count = (ulong)duration.Count, Ns = (ulong)duration.Ns };

    private static partial class Log
    {
        [LoggerMessage(EventId = 6000, Level = LogLevel.Error, Message = "Request {RequestId} failed in the inference server")]
        public static partial void RequestFailed(ILogger logger, string requestId, Exception error);
    }
}
