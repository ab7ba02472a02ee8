namespace Serve.Routes;

/// <summary>One model of a replica.</summary>
/// <param name="Id">The model's id.</param>
/// <param name="Loaded">Whether it can be used at once; false while it is being loaded or waits for a place.</param>
/// <param name="IdleMs">For how many milliseconds nobody has used it; 0 while somebody does.</param>
public sealed record ReportedModel(string Id, bool Loaded, long IdleMs);
