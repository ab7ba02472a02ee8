using System.Collections.Immutable;
using System.Reflection;
using System.Text.Json;
using Serve.Calls;
using Serve.Http;
using Serve.Routing;
using Serve.Specs;

namespace Serve.Inference.Models;

/// <summary>
/// The server part of the Open Inference Protocol, independent of the transport: models, readiness, metadata, statistics. Calls the replicas
/// for data that only they have. Holds no state.
/// </summary>
/// <param name="table">Routes of the models.</param>
/// <param name="repository">The models of the node.</param>
/// <param name="time">Clock of retries.</param>
internal sealed class ServedModelCatalog(RouteTable table, IModelRepository repository, TimeProvider time)
{
    /// <summary>Name of the server in its metadata.</summary>
    public const string Name = "serve";

    private const int Attempts = 50;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    /// <summary>Gets the supported extensions, by Triton's names.</summary>
    public static ImmutableArray<string> Extensions { get; } = ["binary_tensor_data", "classification", "model_configuration", "model_repository", "statistics"];

    /// <summary>Gets the version of the server.</summary>
    public static string Version { get; } =
        typeof(ServedModelCatalog).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "";

    /// <summary>Gets the models.</summary>
    public IModelRepository Repository => repository;

    /// <summary>Gets whether the node serves, and every model is ready that has not been unloaded.</summary>
    public bool IsReady => repository.IsServing && repository.List().All(model => model.State is RepositoryModelState.Ready or RepositoryModelState.Unloading || IsUnloaded(model));

    /// <summary>Finds the application that serves a model.</summary>
    /// <param name="model">The model's name.</param>
    /// <returns>The application; null if the model does not exist.</returns>
    public ApplicationRouteEntry? Find(ReadOnlySpan<char> model)
    {
        foreach (var entry in table.Current.ByLongestPrefix)
        {
            if (IsModel(entry, out var name) && name.SequenceEqual(model))
                return entry;
        }

        return null;
    }

    /// <summary>Returns whether any model is deployed.</summary>
    public bool HasModels()
    {
        foreach (var entry in table.Current.ByLongestPrefix)
        {
            if (IsModel(entry, out _))
                return true;
        }

        return false;
    }

    /// <summary>Finds the application that serves a model.</summary>
    /// <exception cref="NoSuchRouteException">The model does not exist.</exception>
    public ApplicationRouteEntry Require(string model) => Find(model) ?? throw RepositoryModelEntry.UnknownModel(model);

    /// <summary>Returns whether a model is ready.</summary>
    /// <param name="model">Name of the model.</param>
    /// <param name="version">The version; null or empty for the highest.</param>
    /// <param name="cancellationToken">Cancels the calls to replicas.</param>
    /// <returns>False also if the model or version does not exist.</returns>
    public async Task<bool> IsModelReadyAsync(string model, string? version, CancellationToken cancellationToken)
    {
        if (Find(model) is not { Ingress.Replicas.Count: > 0 })
            return false;
        try
        {
            await DescribeAsync(model, version, cancellationToken);
            return true;
        }
        catch (NoSuchRouteException)
        {
            return false;
        }
    }

    /// <summary>Gets the metadata of a model.</summary>
    /// <exception cref="NoSuchRouteException">The model or version does not exist.</exception>
    public async Task<ModelMetadata> DescribeAsync(string model, string? version, CancellationToken cancellationToken)
    {
        var highest = await CallModelAsync<ModelMetadata>(model, "Metadata", null, cancellationToken);
        // Checked here: an exception of the replica's method would be reported as a failure of user code.
        if (!string.IsNullOrEmpty(version) && !highest.Versions.Contains(version))
            throw NoVersion(version, highest.Versions);
        var found = string.IsNullOrEmpty(version) || version == highest.Versions[^1] ? highest : await CallModelAsync<ModelMetadata>(model, "Metadata", version, cancellationToken);
        return found with { Name = model };
    }

    /// <summary>Gets the configuration of a model.</summary>
    /// <exception cref="NoSuchRouteException">The model or version does not exist.</exception>
    public async Task<ModelConfiguration> ConfigureAsync(string model, string? version, CancellationToken cancellationToken)
    {
        await DescribeAsync(model, version, cancellationToken);
        return await CallModelAsync<ModelConfiguration>(model, "Configuration", version, cancellationToken) with { Name = model };
    }

    /// <summary>Gets the statistics of models, summed over their replicas.</summary>
    /// <param name="model">One model; null or empty for all.</param>
    /// <param name="version">One version; null or empty for all.</param>
    /// <param name="cancellationToken">Cancels the calls to replicas.</param>
    /// <exception cref="NoSuchRouteException">The model or version does not exist.</exception>
    public async Task<List<ModelStatistics>> GetStatisticsAsync(string? model, string? version, CancellationToken cancellationToken)
    {
        List<ModelStatistics> all = [];
        if (!string.IsNullOrEmpty(model))
        {
            all.AddRange(await GetStatisticsAsync(Require(model), model, cancellationToken));
            if (string.IsNullOrEmpty(version))
                return all;
            var one = all.FindAll(each => each.Version == version);
            return one.Count > 0 ? one : throw NoVersion(version, all.Select(each => each.Version));
        }

        foreach (var entry in table.Current.ByLongestPrefix.OrderBy(entry => entry.Route.RoutePrefix, StringComparer.Ordinal))
        {
            if (IsModel(entry, out var name))
                all.AddRange(await GetStatisticsAsync(entry, name.ToString(), cancellationToken));
        }

        return all;
    }

    /// <summary>Lists all models and their versions.</summary>
    /// <param name="readyOnly">Whether only ready models are listed.</param>
    /// <param name="cancellationToken">Cancels the calls to replicas.</param>
    public async Task<List<(string Name, string Version, string State, string Reason)>> IndexAsync(bool readyOnly, CancellationToken cancellationToken)
    {
        List<(string, string, string, string)> index = [];
        foreach (var model in repository.List())
        {
            if (readyOnly && model.State != RepositoryModelState.Ready)
                continue;
            foreach (var version in model.State == RepositoryModelState.Ready ? await VersionsAsync(model.Name, cancellationToken) : [""])
                index.Add((model.Name, version, model.State.ToString().ToUpperInvariant(), ServerPathRedactor.Redact(model.Reason)));
        }

        return index;
    }

    /// <summary>Validates the parameters of a load request.</summary>
    /// <param name="parameters">Names of the parameters.</param>
    /// <exception cref="BadInputException">A parameter would replace the deployed model.</exception>
    public static void ValidateLoadParameters(IEnumerable<string> parameters)
    {
        foreach (var name in parameters)
        {
            if (name == "config" || name.StartsWith("file:", StringComparison.Ordinal))
                throw new BadInputException($"The parameter '{name}' is not supported: a model is loaded from its deployed file with its deployed user_config. Redeploy the model to change them.");
        }
    }

    private static NoSuchRouteException NoVersion(string version, IEnumerable<string> versions) =>
        new($"The model has no version '{version}'. Available versions: {string.Join(", ", versions)}.");

    private static bool IsUnloaded(RepositoryModelEntry model) => model is { State: RepositoryModelState.Unavailable, Reason: RepositoryModelEntry.Unloaded };

    private static bool IsModel(ApplicationRouteEntry entry, out ReadOnlySpan<char> name)
    {
        var prefix = entry.Route.RoutePrefix!;
        name = prefix.StartsWith(ApplicationPackage.ModelPrefix, StringComparison.Ordinal) ? prefix.AsSpan(ApplicationPackage.ModelPrefix.Length) : default;
        return !name.IsEmpty && !name.Contains('/');
    }

    private async Task<T> CallModelAsync<T>(string model, string method, string? version, CancellationToken cancellationToken)
    {
        var id = Require(model).Ingress.Id;
        var argument = JsonSerializer.SerializeToElement(version ?? "", ServeJson.Calls);
        var found = await table.GetRevisionTarget(id.Name, id.Application).InvokeAsync(new NamedMethodCall<JsonElement>(method, argument), CallContext.None, cancellationToken);
        return found.Deserialize<T>(ServeJson.Calls)!;
    }

    private async Task<string[]> VersionsAsync(string model, CancellationToken cancellationToken)
    {
        try
        {
            return [.. (await DescribeAsync(model, null, cancellationToken)).Versions];
        }
        catch (ServeException)
        {
            // A user's application at the route prefix of a model may have no versions, and the model may have been deleted.
            return [""];
        }
    }

    private async Task<List<ModelStatistics>> GetStatisticsAsync(ApplicationRouteEntry entry, string model, CancellationToken cancellationToken)
    {
        Dictionary<string, ModelStatistics> versions = new(StringComparer.Ordinal);
        foreach (var slot in entry.Ingress.Replicas)
        {
            foreach (var found in await GetStatisticsAsync(slot, cancellationToken))
                versions[found.Version] = versions.TryGetValue(found.Version, out var before) ? before.With(found) : found with { Name = model };
        }

        return [.. versions.Values.OrderBy(each => each.Version.Length).ThenBy(each => each.Version, StringComparer.Ordinal)];
    }

    // Calls the replica directly, without a lease: a replica at its limit refuses, and the call is retried.
    private async Task<ModelStatistics[]> GetStatisticsAsync(ReplicaSlot slot, CancellationToken cancellationToken)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                var found = await slot.Target.InvokeAsync(new NamedMethodCall<JsonElement>("Statistics"), CallContext.None, cancellationToken);
                return found.ValueKind == JsonValueKind.Array ? found.Deserialize<ModelStatistics[]>(ServeJson.Calls)! : [];
            }
            catch (CallRefusedException refusal)
            {
                if (refusal.Gone || attempt == Attempts)
                    return [];
                await Task.Delay(Pause, time, cancellationToken);
            }
            catch (ServeException)
            {
                // The replica died, or is a user's application without statistics.
                return [];
            }
        }
    }
}
