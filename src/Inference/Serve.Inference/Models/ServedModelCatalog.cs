using System.Collections.Immutable;
using System.Reflection;
using System.Text.Json;
using Serve.Calls;
using Serve.Routing;
using Serve.Specs;

namespace Serve.Inference.Models;

/// <summary>
/// What the Open Inference Protocol asks of a server as a whole, whatever the transport: what is there, whether it is ready, what it has done. Asks the replicas
/// themselves where only they know. Holds no state.
/// </summary>
/// <param name="table">Where models are.</param>
/// <param name="repository">Which there are.</param>
/// <param name="time">The clock.</param>
internal sealed class ServedModelCatalog(RouteTable table, IModelRepository repository, TimeProvider time)
{
    /// <summary>What the server calls itself.</summary>
    public const string Name = "serve";

    private const int Attempts = 50;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    /// <summary>The extensions of Triton's that are offered, by their names there.</summary>
    public static ImmutableArray<string> Extensions { get; } = ["binary_tensor_data", "classification", "model_configuration", "model_repository", "statistics"];

    /// <summary>The server's version.</summary>
    public static string Version { get; } =
        typeof(ServedModelCatalog).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "";

    /// <summary>The models.</summary>
    public IModelRepository Repository => repository;

    /// <summary>Whether every model that is meant to be loaded can be asked.</summary>
    public bool IsReady => repository.List().All(model => model.State is RepositoryModelState.Ready or RepositoryModelState.Unloading || IsUnloaded(model));

    /// <summary>Finds the application that serves a model.</summary>
    /// <param name="model">The model's name.</param>
    /// <returns>The application; null when there is none.</returns>
    public ApplicationRouteEntry? Find(ReadOnlySpan<char> model)
    {
        foreach (var entry in table.Current.ByLongestPrefix)
        {
            if (IsModel(entry, out var name) && name.SequenceEqual(model))
                return entry;
        }

        return null;
    }

    /// <summary>Whether any model is deployed.</summary>
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
    /// <exception cref="NoSuchRouteException">There is none.</exception>
    public ApplicationRouteEntry Require(string model) => Find(model) ?? throw RepositoryModelEntry.UnknownModel(model);

    /// <summary>Whether a model can be asked.</summary>
    /// <param name="model">Its name.</param>
    /// <param name="version">The version; null or empty for the highest.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="NoSuchRouteException">There is no such model or version.</exception>
    public async Task<bool> IsModelReadyAsync(string model, string? version, CancellationToken cancellationToken)
    {
        if (Require(model).Ingress.Replicas.Count == 0)
            return false;
        await DescribeAsync(model, version, cancellationToken);
        return true;
    }

    /// <summary>What a model says of itself.</summary>
    /// <exception cref="NoSuchRouteException">There is no such model or version.</exception>
    public async Task<ModelMetadata> DescribeAsync(string model, string? version, CancellationToken cancellationToken)
    {
        var highest = await CallModelAsync<ModelMetadata>(model, "Metadata", null, cancellationToken);
        // Checked here, since what a method throws reaches a caller as the method's failure.
        if (!string.IsNullOrEmpty(version) && !highest.Versions.Contains(version))
            throw NoVersion(version, highest.Versions);
        var found = string.IsNullOrEmpty(version) || version == highest.Versions[^1] ? highest : await CallModelAsync<ModelMetadata>(model, "Metadata", version, cancellationToken);
        return found with { Name = model };
    }

    /// <summary>How a model is served.</summary>
    /// <exception cref="NoSuchRouteException">There is no such model or version.</exception>
    public async Task<ModelConfiguration> ConfigureAsync(string model, string? version, CancellationToken cancellationToken)
    {
        await DescribeAsync(model, version, cancellationToken);
        return await CallModelAsync<ModelConfiguration>(model, "Configuration", version, cancellationToken) with { Name = model };
    }

    /// <summary>What models have done, all their replicas together.</summary>
    /// <param name="model">One model; null or empty for all.</param>
    /// <param name="version">One version; null or empty for all.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="NoSuchRouteException">There is no such model or version.</exception>
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

    /// <summary>Every model and its versions.</summary>
    /// <param name="readyOnly">Whether those are left out that cannot be asked.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<List<(string Name, string Version, string State, string Reason)>> IndexAsync(bool readyOnly, CancellationToken cancellationToken)
    {
        List<(string, string, string, string)> index = [];
        foreach (var model in repository.List())
        {
            if (readyOnly && model.State != RepositoryModelState.Ready)
                continue;
            foreach (var version in model.State == RepositoryModelState.Ready ? await VersionsAsync(model.Name, cancellationToken) : [""])
                index.Add((model.Name, version, model.State.ToString().ToUpperInvariant(), model.Reason));
        }

        return index;
    }

    /// <summary>Holds against what is offered what a client wants of a load beside the load itself.</summary>
    /// <param name="parameters">The names of its parameters.</param>
    /// <exception cref="BadInputException">One of them would have the model be another than the deployed one.</exception>
    public static void ValidateLoadParameters(IEnumerable<string> parameters)
    {
        foreach (var name in parameters)
        {
            if (name == "config" || name.StartsWith("file:", StringComparison.Ordinal))
                throw new BadInputException($"The parameter '{name}' is not taken: a model is loaded from the file and with the user_config that it was deployed with. Deploy it to change them.");
        }
    }

    private static NoSuchRouteException NoVersion(string version, IEnumerable<string> versions) =>
        new($"The model has no version '{version}'; it has {string.Join(", ", versions)}.");

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
        var found = await table.GetTarget(id.Name, id.Application).InvokeAsync(new NamedMethodCall<JsonElement>(method, argument), CallContext.None, cancellationToken);
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
            // An application of the user's own that answers there need not know its versions; and a model may just have gone.
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

    // Each replica is asked itself, beside the requests that are leased to it: a full one refuses, and is asked again.
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
                // It died, or is an application of the user's own without statistics.
                return [];
            }
        }
    }
}
