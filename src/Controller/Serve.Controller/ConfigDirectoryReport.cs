using Serve.Admin;

namespace Serve.Controller;

/// <summary>Result of the last attempt to apply the node's config directory. Written by the composition root, read by status and metrics.</summary>
public sealed class ConfigDirectoryReport
{
    private volatile ConfigDirectoryDetails? _current;

    /// <summary>The directory and its errors; null if the node has none, or before the first attempt.</summary>
    public ConfigDirectoryDetails? Current { get => _current; set => _current = value; }
}
