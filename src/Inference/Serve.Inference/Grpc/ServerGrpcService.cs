using Google.Protobuf;
using Grpc.AspNetCore.Server.Model;
using Grpc.Core;
using Inference;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Serve.Http;
using Serve.Inference.Models;
using Statistics = Serve.Inference.ModelStatistics;

namespace Serve.Inference.Grpc;

/// <summary>The methods of the protocol that a node answers itself: health, metadata, statistics, model repository. Holds no state.</summary>
internal sealed partial class ServerGrpcService
{
    private readonly ServedModelCatalog _catalog;
    private readonly OpenInferenceOptions _options;
    private readonly IHostApplicationLifetime _lifetime;
    private readonly ILogger<ServerGrpcService> _logger;
    private readonly Lazy<GrpcServiceEndpoints> _endpoints;

    public ServerGrpcService(ServedModelCatalog catalog, OpenInferenceOptions options, IHostApplicationLifetime lifetime, ILogger<ServerGrpcService> logger)
    {
        (_catalog, _options, _lifetime, _logger) = (catalog, options, lifetime, logger);
        var maxMessageSize = (int)Math.Min(options.Http.MaxRequestBodyBytes, RequestBodyLimit.Most);
        _endpoints = new(() => GrpcServiceEndpoints.Build<ServerGrpcService>(AddMethods, maxMessageSize));
    }

    /// <summary>Serves a call.</summary>
    /// <param name="context">The call.</param>
    /// <param name="method">Name of the method, without its service.</param>
    public Task ServeAsync(HttpContext context, string method) => _endpoints.Value[method](context);

    /// <summary>Fails a call that cannot be forwarded to its model.</summary>
    /// <param name="context">The call, whose response has not started.</param>
    /// <param name="method">ModelInfer or ModelStreamInfer.</param>
    /// <param name="error">The reason.</param>
    public Task FailAsync(HttpContext context, string method, Exception error)
    {
        context.Features.Set(new ForwardingFailure(GrpcErrors.ToRpcException(error)));
        return ServeAsync(context, method);
    }

    private void AddMethods(ServiceMethodProviderContext<ServerGrpcService> methods)
    {
        Add(methods, "ServerLive", ServerLiveRequest.Parser, ServerLiveResponse.Parser, static (_, _) => Task.FromResult(new ServerLiveResponse { Live = true }));
        Add(methods, "ServerReady", ServerReadyRequest.Parser, ServerReadyResponse.Parser, (_, _) => Task.FromResult(new ServerReadyResponse { Ready = _catalog.IsReady && !_lifetime.ApplicationStopping.IsCancellationRequested }));
        Add(methods, "ServerMetadata", ServerMetadataRequest.Parser, ServerMetadataResponse.Parser, static (_, _) => Task.FromResult(
            new ServerMetadataResponse { Name = ServedModelCatalog.Name, Version = ServedModelCatalog.Version, Extensions = { ServedModelCatalog.Extensions } }));
        Add(methods, "ModelReady", ModelReadyRequest.Parser, ModelReadyResponse.Parser, async (request, context) =>
            new() { Ready = await _catalog.IsModelReadyAsync(request.Name, request.Version, context.CancellationToken) });
        Add(methods, "ModelMetadata", ModelMetadataRequest.Parser, ModelMetadataResponse.Parser, async (request, context) =>
            ToMessage(await _catalog.DescribeAsync(request.Name, request.Version, context.CancellationToken)));
        Add(methods, "ModelConfig", ModelConfigRequest.Parser, ModelConfigResponse.Parser, async (request, context) =>
            new() { Config = ToMessage(await _catalog.ConfigureAsync(request.Name, request.Version, context.CancellationToken)) });
        Add(methods, "ModelStatistics", ModelStatisticsRequest.Parser, ModelStatisticsResponse.Parser, async (request, context) =>
            new() { ModelStats = { (await _catalog.GetStatisticsAsync(request.Name, request.Version, context.CancellationToken)).Select(ToMessage) } });
        Add(methods, "RepositoryIndex", RepositoryIndexRequest.Parser, RepositoryIndexResponse.Parser, IndexAsync);
        Add(methods, "RepositoryModelLoad", RepositoryModelLoadRequest.Parser, RepositoryModelLoadResponse.Parser, LoadAsync);
        Add(methods, "RepositoryModelUnload", RepositoryModelUnloadRequest.Parser, RepositoryModelUnloadResponse.Parser, UnloadAsync);
        foreach (var method in new[] { ModelGrpcService.Infer, ModelGrpcService.StreamInfer })
        {
            // Served by the model's replica; calls arrive here only to fail.
            methods.AddDuplexStreamingMethod(
                new Method<PooledBufferWriter, InferResponseMessage>(MethodType.DuplexStreaming, ModelGrpcService.Name, method, GrpcMarshallers.Bytes, InferResponseMessage.Marshaller),
                [],
                static (_, _, _, context) => throw context.GetHttpContext().Features.GetRequiredFeature<ForwardingFailure>().Error);
        }
    }

    private void Add<TRequest, TResponse>(
        ServiceMethodProviderContext<ServerGrpcService> methods, string name, MessageParser<TRequest> requests, MessageParser<TResponse> responses, Func<TRequest, ServerCallContext, Task<TResponse>> serve)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse>
    {
        var method = new Method<TRequest, TResponse>(MethodType.Unary, ModelGrpcService.Name, name, GrpcMarshallers.Of(requests), GrpcMarshallers.Of(responses));
        methods.AddUnaryMethod(method, [], async (_, request, context) =>
        {
            try
            {
                return await serve(request, context);
            }
            catch (Exception error)
            {
                if (GrpcErrors.IsServerFailure(error))
                    Log.CallFailed(_logger, context.Method, error);
                throw GrpcErrors.ToRpcException(error);
            }
        });
    }

    private async Task<RepositoryIndexResponse> IndexAsync(RepositoryIndexRequest request, ServerCallContext context)
    {
        ValidateRepository(request.RepositoryName);
        return new()
        {
            Models =
            {
                (await _catalog.IndexAsync(request.Ready, context.CancellationToken)).Select(each => new RepositoryIndexResponse.Types.ModelIndex
                {
                    Name = each.Name,
                    Version = each.Version,
                    State = each.State,
                    Reason = each.Reason,
                }),
            },
        };
    }

    private async Task<RepositoryModelLoadResponse> LoadAsync(RepositoryModelLoadRequest request, ServerCallContext context)
    {
        Authorize(context);
        ValidateRepository(request.RepositoryName);
        ServedModelCatalog.ValidateLoadParameters(request.Parameters.Keys);
        await _catalog.Repository.LoadAsync(request.ModelName, context.CancellationToken);
        return new();
    }

    private async Task<RepositoryModelUnloadResponse> UnloadAsync(RepositoryModelUnloadRequest request, ServerCallContext context)
    {
        Authorize(context);
        ValidateRepository(request.RepositoryName);
        await _catalog.Repository.UnloadAsync(request.ModelName, context.CancellationToken);
        return new();
    }

    private static void ValidateRepository(string name)
    {
        if (name.Length > 0)
            throw new BadInputException($"Unknown repository '{name}'. The only repository has no name; leave repository_name empty.");
    }

    private void Authorize(ServerCallContext context)
    {
        if (RequestGuard.Check(context.GetHttpContext().Request, _options.Guard) is { } refusal)
            throw new RpcException(new Status(refusal.Status == StatusCodes.Status401Unauthorized ? StatusCode.Unauthenticated : StatusCode.PermissionDenied, refusal.Detail));
    }

    private static ModelMetadataResponse ToMessage(ModelMetadata model) => new()
    {
        Name = model.Name,
        Versions = { model.Versions },
        Platform = model.Platform,
        Inputs = { model.Inputs.Select(ToMessage) },
        Outputs = { model.Outputs.Select(ToMessage) },
        Properties = { model.Properties },
    };

    private static ModelMetadataResponse.Types.TensorMetadata ToMessage(TensorMetadata tensor) =>
        new() { Name = tensor.Name, Datatype = tensor.Datatype, Shape = { tensor.Shape } };

    private static ModelConfig ToMessage(ModelConfiguration model) => new()
    {
        Name = model.Name,
        Platform = model.Platform,
        Backend = model.Backend,
        MaxBatchSize = model.MaxBatchSize,
        Input = { model.Input.Select(input => new ModelInput { Name = input.Name, DataType = ToMessage(input.DataType), Dims = { input.Dims } }) },
        Output = { model.Output.Select(output => new ModelOutput { Name = output.Name, DataType = ToMessage(output.DataType), Dims = { output.Dims } }) },
        DynamicBatching = model.DynamicBatching is { } batching ? new() { MaxQueueDelayMicroseconds = (ulong)batching.MaxQueueDelayMicroseconds } : null,
        DefaultModelFilename = model.DefaultModelFilename,
    };

    // TYPE_FP32 is TypeFp32 in the generated code.
    private static DataType ToMessage(string type) => Enum.Parse<DataType>(type.Replace("_", "", StringComparison.Ordinal), ignoreCase: true);

    private static global::Inference.ModelStatistics ToMessage(Statistics statistics) => new()
    {
        Name = statistics.Name,
        Version = statistics.Version,
        LastInference = (ulong)statistics.LastInference,
        InferenceCount = (ulong)statistics.InferenceCount,
        ExecutionCount = (ulong)statistics.ExecutionCount,
        InferenceStats = new()
        {
            Success = ToMessage(statistics.InferenceStats.Success),
            Fail = ToMessage(statistics.InferenceStats.Fail),
            Queue = ToMessage(statistics.InferenceStats.Queue),
            ComputeInput = ToMessage(statistics.InferenceStats.ComputeInput),
            ComputeInfer = ToMessage(statistics.InferenceStats.ComputeInfer),
            ComputeOutput = ToMessage(statistics.InferenceStats.ComputeOutput),
            CacheHit = ToMessage(statistics.InferenceStats.CacheHit),
            CacheMiss = ToMessage(statistics.InferenceStats.CacheMiss),
        },
        BatchStats =
        {
            statistics.BatchStats.Select(batch => new InferBatchStatistics
            {
                BatchSize = (ulong)batch.BatchSize,
                ComputeInput = ToMessage(batch.ComputeInput),
                ComputeInfer = ToMessage(batch.ComputeInfer),
                ComputeOutput = ToMessage(batch.ComputeOutput),
            }),
        },
    };

    private static StatisticDuration ToMessage(DurationStatistic duration) => new() { Count = (ulong)duration.Count, Ns = (ulong)duration.Ns };

    /// <summary>The reason for which a call was not forwarded; a feature of its request.</summary>
    private sealed record ForwardingFailure(RpcException Error);

    private static partial class Log
    {
        [LoggerMessage(EventId = 6000, Level = LogLevel.Error, Message = "gRPC call {Method} failed")]
        public static partial void CallFailed(ILogger logger, string method, Exception error);
    }
}
