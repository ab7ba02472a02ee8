using Microsoft.Extensions.Logging;
using Serve.Admin;
using Serve.Controller;
using Serve.Hosting;

namespace Serve.Cli.Hosting;

/// <summary>Announces a node with its token file to the CLI and to clients of the same user, until it is disposed.</summary>
internal sealed partial class NodeAnnouncer : IDisposable
{
    private readonly ProcessAnnouncementFolder<NodeAnnouncement> _folder = NodeAnnouncement.ForCurrentUser();
    private readonly string _file;

    private NodeAnnouncer(NodeAnnouncement announcement) => _file = _folder.Publish(announcement);

    /// <summary>Announces a node.</summary>
    /// <param name="addresses">Addresses that the node listens on.</param>
    /// <param name="tokenFile">The file with its token.</param>
    /// <param name="time">Clock.</param>
    /// <param name="logger">Receives the reason for a failure.</param>
    /// <returns>Null if it cannot be announced, for instance because the user has no home folder.</returns>
    public static NodeAnnouncer? Announce(NodeListenAddresses addresses, string tokenFile, TimeProvider time, ILogger logger)
    {
        try
        {
            return new(new(Environment.ProcessId, addresses.Gateway!, addresses.Admin!, tokenFile, time.GetUtcNow()));
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            Log.NotAnnounced(logger, tokenFile, failed.Message);
            return null;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _folder.Withdraw(_file);

    private static partial class Log
    {
        [LoggerMessage(EventId = 8003, Level = LogLevel.Warning, Message = "The CLI and clients will not find the token of this node by themselves. Use --token-file {TokenFile}. {Reason}")]
        public static partial void NotAnnounced(ILogger logger, string tokenFile, string reason);
    }
}
