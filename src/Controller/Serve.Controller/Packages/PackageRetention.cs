using Microsoft.Extensions.Logging;
using Serve.Control.Desired;
using Serve.Control.Observed;
using Serve.Controller.Applications;

namespace Serve.Controller.Packages;

/// <summary>Bounds the stored packages: deletes those of which no revision is kept and no replica runs, after a time in which a new one can be deployed.</summary>
internal sealed partial class PackageRetention(IApplicationSource source, TimeSpan retention, TimeProvider time, ILogger logger)
{
    /// <summary>Deletes the packages that are not needed.</summary>
    public void Prune(DesiredState desired, ObservedState observed)
    {
        var revisions = desired.Applications.Values.SelectMany(application => application.Revisions).ToList();
        var versions = revisions.SelectMany(revision => revision.Deployments.Values).Select(deployment => deployment.Version).ToHashSet(StringComparer.Ordinal);
        // A replica of a dropped revision is about to stop; until then its package is unknown, but needed.
        if (observed.Replicas.Values.Any(replica => !versions.Contains(replica.Deployment.Version)))
            return;
        try
        {
            var deleted = source.DeleteUnused(revisions.Select(revision => revision.Package.Hash).ToHashSet(StringComparer.Ordinal), time.GetUtcNow() - retention);
            if (deleted > 0)
                Log.Pruned(logger, deleted);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Log.Failed(logger, error);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(3034, LogLevel.Information, "{Count} packages were deleted, of which no revision is kept")]
        public static partial void Pruned(ILogger logger, int count);

        [LoggerMessage(3035, LogLevel.Warning, "Unused packages could not be deleted; the next attempt follows")]
        public static partial void Failed(ILogger logger, Exception error);
    }
}
