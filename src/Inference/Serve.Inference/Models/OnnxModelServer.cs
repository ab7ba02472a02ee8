using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Serve.Http;
using Serve.Inference.Analysis;
using Serve.Inference.Grpc;
using Serve.Inference.Rest;
using Serve.Inference.Tensors;
using Serve.Replica.Activation;
using Serve.Replica.Batching;
using Serve.Replica.Instances;
using Serve.Routes;
using Serve.Runtime;
using Serve.Specs;

namespace Serve.Inference.Models;

/// <summary>
/// The deployment class of models without user code. Loads the versions of the package and serves the model's part of the Open Inference Protocol v2
/// below its route prefix. The only writer of the loaded versions.
/// </summary>
internal sealed partial class OnnxModelServer : IIngress, IBuiltInDeployment, IAsyncDisposable
{
    private readonly IOnnxModels _models;
    private readonly string _folder;
    private readonly TimeProvider _time;
    private readonly ILogger<OnnxModelServer> _logger;
    private readonly ServedModelName _names;
    private readonly ConcurrentDictionary<int, GrpcServiceEndpoints> _grpc = [];
    private readonly SemaphoreSlim _loading = new(1, 1);
    private volatile LoadedModelVersions? _loaded;

    public OnnxModelServer(IOnnxModels models, IReplicaContext replica, IHostEnvironment environment, TimeProvider time, ILogger<OnnxModelServer> logger)
    {
        (_models, _time, _logger) = (models, time, logger);
        _folder = environment.ContentRootPath;
        _names = new(replica.DeploymentId.Application);
        Batching = new(() => _loaded is { } current ? current.All : []);
    }

    /// <summary>Loads the versions with other settings. Requests use the previous versions until the new ones are ready.</summary>
    public async Task Reconfigure(ModelUserConfig config, CancellationToken cancellationToken)
    {
        await _loading.WaitAsync(cancellationToken);
        try
        {
            var before = _loaded;
            _loaded = await LoadAsync(config, before, cancellationToken);
            before?.Dispose();
        }
        finally
        {
            _loading.Release();
        }
    }

    /// <summary>Loads the versions with default settings if there is no <c>user_config</c>, so that a healthy replica can serve requests.</summary>
    public Task CheckHealth(CancellationToken cancellationToken) => _loaded is null ? Reconfigure(new(), cancellationToken) : Task.CompletedTask;

    /// <summary>Gets the metadata of a version; of the highest if the argument is empty.</summary>
    public ModelMetadata Metadata(string version) => Describe(_names.Default, version);

    /// <summary>Gets the configuration of a version; of the highest if the argument is empty.</summary>
    public ModelConfiguration Configuration(string version) => Loaded.Find(version).Configure(_names.Default);

    /// <summary>Gets the statistics of this replica, by version.</summary>
    public ModelStatistics[] Statistics() => [.. Loaded.All.Select(version => version.Counters.Read(_names.Default, version.Name))];

    public void Map(IEndpointRouteBuilder routes)
    {
        foreach (var prefix in new[] { "", "/versions/{version}" })
        {
            routes.MapGet(prefix.Length == 0 ? "/" : prefix, MetadataAsync);
            routes.MapGet(prefix + "/ready", ReadyAsync);
            routes.MapGet(prefix + "/config", ConfigurationAsync);
            routes.MapGet(prefix + "/stats", StatisticsAsync);
            routes.MapPost(prefix + "/infer", InferAsync);
        }

        // The gateway routes calls here by the model_name of their first message.
        foreach (var method in new[] { ModelGrpcService.Infer, ModelGrpcService.StreamInfer })
            routes.MapPost($"/{ModelGrpcService.Name}/{method}", context => CallAsync(context, method));
        routes.Map("/{**rest}", NothingAsync);
    }

    public ValueTask DisposeAsync()
    {
        _loaded?.Dispose();
        _loading.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Gets the batching settings.</summary>
    internal ModelBatchingConfigKey Batching { get; }

    string IBuiltInDeployment.BatchFunction => "infer";

    IUserConfigKey IBuiltInDeployment.BatchingKey => Batching;

    int? IBuiltInDeployment.MaxBatchSize => Batching.Settings is { Enabled: not false, Queue.MaxBatchSize: var size } ? size : null;

    IReadOnlyList<string> IBuiltInDeployment.Notices => [.. (_loaded?.All ?? []).Select(version => version.BatchingNotice).OfType<string>()];

    int IBuiltInDeployment.QueueLength => Batching.Length;

    void IBuiltInDeployment.Attach(IBatchQueueObserver observer, ConcurrencyLimiter gate) => Batching.Attach(observer, gate);

    /// <summary>Gets the name under which a request addresses the model.</summary>
    internal string NameOf(HttpContext context) => _names.Of(context);

    internal LoadedModelVersions Loaded => _loaded ?? throw new NoReplicaException("The model is not loaded yet.");

    private static string? VersionOf(HttpContext context) => (string?)context.Request.RouteValues["version"];

    private async Task<LoadedModelVersions> LoadAsync(ModelUserConfig config, LoadedModelVersions? before, CancellationToken cancellationToken)
    {
        var files = ModelVersionFiles.Find(_folder);
        if (config.Versions is { IsDefaultOrEmpty: false } wanted)
        {
            var unknown = wanted.Except(files.Select(file => file.Version)).ToList();
            if (unknown.Count > 0)
                throw new BadInputException($"user_config.versions: unknown version {string.Join(", ", unknown)}. Available versions: {string.Join(", ", files.Select(file => file.Version))}.");
            files = [.. files.Where(file => wanted.Contains(file.Version))];
        }

        if (files.Count == 0)
            throw new InferenceException($"{_folder} contains no model; expected VERSION/{ModelVersionFiles.FileName}.");
        var options = config.ToOptions();
        var versions = ImmutableArray.CreateBuilder<LoadedModelVersion>();
        try
        {
            foreach (var (number, file) in files)
            {
                var started = _time.GetTimestamp();
                var model = await _models.LoadAsync(file, options, cancellationToken);
                // A change of settings keeps the counters.
                var counters = before?.All.FirstOrDefault(version => version.Number == number)?.Counters ?? new ModelVersionCounters(_time);
                var rows = RowIndependence.AnalyzeFile(file);
                versions.Add(new(number, model, rows, counters, Batching, _time, _logger));
                Log.RowsAnalyzed(_logger, _names.Default, number, rows.Verdict, rows.Reason);
                Log.VersionLoaded(_logger, _names.Default, number, model.ExecutionProvider, _time.GetElapsedTime(started).TotalMilliseconds);
            }

            return new(versions.ToImmutable());
        }
        catch
        {
            foreach (var version in versions)
                version.Dispose();
            throw;
        }
    }

    private ModelMetadata Describe(string name, string? version)
    {
        var current = Loaded;
        return current.Find(version).Describe(name, current.Names);
    }

    private Task MetadataAsync(HttpContext context) =>
        AnswerAsync(context, () => JsonDocumentResponse.WriteAsync(context, Describe(_names.Of(context), VersionOf(context))));

    private Task ConfigurationAsync(HttpContext context) =>
        AnswerAsync(context, () => JsonDocumentResponse.WriteAsync(context, Loaded.Find(VersionOf(context)).Configure(_names.Of(context))));

    private Task ReadyAsync(HttpContext context) => AnswerAsync(context, () =>
    {
        Loaded.Find(VersionOf(context));
        return JsonDocumentResponse.WriteAsync(context, new { name = _names.Of(context), ready = true });
    });

    private Task StatisticsAsync(HttpContext context) => AnswerAsync(context, () =>
    {
        var (current, version) = (Loaded, VersionOf(context));
        var asked = version is null ? current.All : [current.Find(version)];
        return JsonDocumentResponse.WriteAsync(context, new { model_stats = asked.Select(each => each.Counters.Read(_names.Of(context), each.Name)) });
    });

    private Task NothingAsync(HttpContext context) => AnswerAsync(context, () => throw new NoSuchRouteException(
        $"No endpoint for {context.Request.Method} '{context.Request.PathBase}{context.Request.Path}'. Endpoints of a model: GET / (metadata), GET /ready, GET /config, GET /stats, POST /infer, and the same below /versions/VERSION."));

    private Task InferAsync(HttpContext context) => AnswerAsync(context, () => InferAsync(context, _names.Of(context), VersionOf(context)));

    private async Task InferAsync(HttpContext context, string name, string? asked)
    {
        var current = Loaded.Find(asked);
        var body = await InferRequestBody.ReadAsync(context.Request, context.RequestAborted);
        var request = new InferenceRequest { Urgency = RequestUrgency.Of(context) };
        request.Own(body);
        request.Version = asked;
        LoadedModelVersion Read()
        {
            if (body.IsRaw)
                RawBinaryRequestReader.Read(body.Binary, current.Model, request);
            else
                JsonInferRequestReader.Read(body.Json, body.Binary, body.HasBinaryPart, request);
            return current;
        }

        await ServeAsync(
            request, Read,
            (version, outputs) => JsonInferResponseWriter.WriteAsync(context, name, version.Name, request, outputs),
            context.RequestAborted);
    }

    /// <summary>Serves one inference, whatever its transport: parses, validates, runs, responds and counts.</summary>
    internal async Task ServeAsync(
        InferenceRequest request, Func<LoadedModelVersion> read, Func<LoadedModelVersion, ModelOutputs, Task> answer, CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        var isRead = false;
        LoadedModelVersion? current = null;
        try
        {
            current = read();
            request.Validate(current.Model);
            isRead = true;
            var input = _time.GetElapsedTime(started);
            var (version, outputs) = await RunAsync(current, request, cancellationToken);
            using (outputs)
            {
                var ran = _time.GetTimestamp();
                await answer(version, ClassificationOutputs.Apply(outputs, request, version.Model));
                version.Counters.RecordSuccess(request.BatchSize(version.Model), input, _time.GetElapsedTime(ran), _time.GetElapsedTime(started));
            }

            request.Release();
        }
        catch
        {
            // An abandoned run may still read its inputs.
            if (!isRead)
                request.Release();
            (current ?? Loaded.All[^1]).Counters.Fail.Add(_time.GetElapsedTime(started));
            throw;
        }
    }

    /// <summary>Runs the request; retries it on the new version if a change of settings disposed the version.</summary>
    private async ValueTask<(LoadedModelVersion Version, ModelOutputs Outputs)> RunAsync(
        LoadedModelVersion version, InferenceRequest request, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return (version, await version.RunAsync(request, cancellationToken));
            }
            catch (ObjectDisposedException) when (_loaded is { } current && current.Find(request.Version) is { } next && next != version)
            {
                version = next;
            }
        }
    }

    private Task CallAsync(HttpContext context, string method)
    {
        var maxMessageSize = RequestBodyLimit.Of(context);
        // The limit is for each message, not for the body of the call.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } body)
            body.MaxRequestBodySize = null;
        return _grpc.GetOrAdd(maxMessageSize, size => new ModelGrpcService(this, size, _logger).BuildEndpoints())[method](context);
    }

    private async Task AnswerAsync(HttpContext context, Func<Task> answer)
    {
        try
        {
            await answer();
        }
        catch (Exception thrown) when (!context.RequestAborted.IsCancellationRequested)
        {
            var (status, error) = Explain(thrown);
            if (status >= StatusCodes.Status500InternalServerError)
                Log.RequestFailed(_logger, thrown, context.Request.Method, context.Request.PathBase + context.Request.Path);
            await JsonInferResponseWriter.WriteErrorAsync(context, status, ServerPathRedactor.Redact(error));
        }
    }

    private static (int Status, string Error) Explain(Exception thrown) => thrown switch
    {
        ServeException known => (known.StatusCode, known.Message),
        BadHttpRequestException bad => (bad.StatusCode, bad.Message),
        _ => (StatusCodes.Status500InternalServerError, thrown.Message),
    };

    private static partial class Log
    {
        [LoggerMessage(EventId = 6002, Level = LogLevel.Information, Message = "Model {Model} version {Version} loaded on {Provider} in {Milliseconds:0.0} ms")]
        public static partial void VersionLoaded(ILogger logger, string model, long version, string provider, double milliseconds);

        [LoggerMessage(EventId = 6006, Level = LogLevel.Information, Message = "Row independence of model {Model} version {Version}: {Verdict}. {Reason}")]
        public static partial void RowsAnalyzed(ILogger logger, string model, long version, RowIndependenceVerdict verdict, string reason);

        [LoggerMessage(EventId = 6003, Level = LogLevel.Error, Message = "{Method} {Path} failed")]
        public static partial void RequestFailed(ILogger logger, Exception thrown, string method, string path);
    }
}

/// <summary>The <c>user_config</c> of a model: ONNX options and versions. Its key <c>batching</c> is read by <see cref="ModelBatchingConfigKey"/>.</summary>
internal sealed record ModelUserConfig : OnnxOptionsConfig
{
    /// <summary>Gets the versions to load; null loads all versions of the package.</summary>
    public ImmutableArray<long>? Versions { get; init; }
}
