namespace Serve;

/// <summary>What a model's file says of itself. Texts are empty where it says nothing.</summary>
/// <param name="Graph">The graph's name.</param>
/// <param name="Producer">The program that made the file.</param>
/// <param name="Description">For people.</param>
/// <param name="Domain">In reversed domain order, of whom made it.</param>
/// <param name="Version">The model's own number; 0 when it has none.</param>
/// <param name="Metadata">Further keys and values.</param>
public sealed record OnnxModelInfo(
    string Graph, string Producer, string Description, string Domain, long Version, IReadOnlyDictionary<string, string> Metadata);
