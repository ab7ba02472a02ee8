using System.Collections.Immutable;
using System.Collections.Specialized;
using Serve.Runtime.Clusters;
using Serve.Runtime.Observation;
using Serve.Runtime.Placement;

namespace Serve.Runtime.State;

/// <summary>One resource of the state API.</summary>
/// <param name="Path">Path below <c>/api/v0/</c>.</param>
/// <param name="Summary">Description of the result.</param>
/// <param name="ResponseType">Type of the response document.</param>
/// <param name="IsList">Whether the query filters and limits a list.</param>
/// <param name="Get">Reads the cluster; throws <see cref="DefinitionException"/> if the query is invalid.</param>
public sealed record ClusterStateResource(string Path, string Summary, Type ResponseType, bool IsList, Func<Cluster, NameValueCollection, object> Get);

/// <summary>The state API of a cluster, independent of a web server: Ray's paths and envelope, and <c>timeline</c> and <c>memory</c>, which Ray has elsewhere. Read-only. Holds no state.</summary>
public static class ClusterStateApi
{
    /// <summary>Path below which all resources are.</summary>
    public const string Root = "/api/v0";

    /// <summary>The one resource that is written as a stream, by <see cref="Cluster.WriteTimeline"/>.</summary>
    public const string TimelinePath = "timeline";

    /// <summary>All resources but the timeline; their documents are written with <see cref="ServeJson.State"/>.</summary>
    public static ImmutableArray<ClusterStateResource> Resources { get; } =
    [
        List("tasks", "Lists tasks and actor calls.", static cluster => cluster.ListTasks()),
        List("actors", "Lists actors.", static cluster => cluster.ListActors()),
        List("objects", "Lists the objects that the cluster keeps track of.", static cluster => cluster.ListObjects()),
        List("workers", "Lists worker processes.", static cluster => cluster.ListWorkers()),
        List("nodes", "Lists nodes.", static cluster => cluster is DriverCluster driver ? PlacementStateLister.Nodes(driver.Placement) : []),
        List("placement_groups", "Lists placement groups.", static cluster => cluster is DriverCluster driver ? PlacementStateLister.Groups(driver.Placement) : []),
        One("summarize", "Summarizes the cluster.", ClusterStateSummarizer.Summarize),
        One("tasks/summarize", "Counts tasks by function and state.", static cluster => ClusterStateSummarizer.Summarize(cluster).Tasks),
        One("actors/summarize", "Counts actors by class and state.", static cluster => ClusterStateSummarizer.Summarize(cluster).Actors),
        One("objects/summarize", "Counts objects by location.", static cluster => ClusterStateSummarizer.Summarize(cluster).Objects),
        One("memory", "Lists what uses memory.", ClusterStateSummarizer.SummarizeMemory),
    ];

    /// <summary>Writes the timeline of tasks in Chrome's trace format.</summary>
    /// <param name="cluster">The cluster.</param>
    /// <param name="limit">Number of tasks, the newest ones; null for all.</param>
    /// <param name="output">Receives the document; not closed.</param>
    /// <param name="now">End of tasks that run.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public static Task WriteTimelineAsync(Cluster cluster, int? limit, Stream output, DateTimeOffset now, CancellationToken cancellationToken) =>
        TimelineTraceWriter.WriteAsync(cluster, limit, output, now, cancellationToken);

    private static ClusterStateResource List<T>(string path, string summary, Func<Cluster, IReadOnlyList<T>> list) =>
        new(path, summary, typeof(StateApiResponse<StateList<T>>), IsList: true, (cluster, query) => Wrap(new StateQueryFilter(query).Apply(list(cluster))));

    private static ClusterStateResource One<T>(string path, string summary, Func<Cluster, T> get) =>
        new(path, summary, typeof(StateApiResponse<T>), IsList: false, (cluster, _) => Wrap(get(cluster)));

    private static StateApiResponse<T> Wrap<T>(T value) => new(true, "", new(value));
}
