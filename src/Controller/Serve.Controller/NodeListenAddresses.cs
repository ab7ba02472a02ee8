namespace Serve.Controller;

/// <summary>Where the node's servers really listen. Written by the composition root once they do.</summary>
public sealed class NodeListenAddresses
{
    private volatile string? _gateway;
    private volatile string? _admin;

    /// <summary>The gateway's base address.</summary>
    public string? Gateway { get => _gateway; set => _gateway = value; }

    /// <summary>The admin API's base address.</summary>
    public string? Admin { get => _admin; set => _admin = value; }
}
