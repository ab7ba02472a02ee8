namespace Serve.Stress;

/// <summary>What one run does.</summary>
/// <param name="Duration">Over how long the tasks are spread.</param>
/// <param name="Tasks">How many.</param>
/// <param name="Actors">How many.</param>
/// <param name="Seed">For everything random.</param>
/// <param name="Folder">Where actors keep their journals.</param>
internal sealed record StressRunPlan(TimeSpan Duration, int Tasks, int Actors, int Seed, string Folder);
