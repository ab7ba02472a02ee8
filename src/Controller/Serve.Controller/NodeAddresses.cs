namespace Serve.Controller;

/// <summary>Where the node's servers really listen. Written by the composition root once they do.</summary>
public sealed class NodeAddresses
{
    private volatile string? gateway;
    private volatile string? admin;

    /// <summary>The gateway's base address.</summary>
    public string? Gateway { get => gateway; set => gateway = value; }

    /// <summary>The admin API's base address.</summary>
    public string? Admin { get => admin; set => admin = value; }
}
