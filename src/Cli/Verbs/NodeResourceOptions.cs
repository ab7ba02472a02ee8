using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using Serve.Nodes;
using Serve.Runtime;

namespace Serve.Cli.Verbs;

/// <summary>The options that say what a node has to give; the names are Ray's.</summary>
internal sealed class NodeResourceOptions
{
    private const string Expected = "a number, 0 or more";

    // Amounts are kept as integers of ten-thousandths.
    private const double Most = 1e14;

    private readonly Option<double?> _cpus = NumericOptionParser.Of("--num-cpus", "N", "CPUs that replicas, tasks and actors may reserve; a number to account with. Default: the machine's.", 0, Most, Expected);
    private readonly Option<int?> _gpus = NumericOptionParser.Of("--num-gpus", "N", "GPUs they may reserve. Default: the NVIDIA devices that CUDA_VISIBLE_DEVICES leaves, all where it is not set.", 0, 1 << 16, "a whole number, 0 or more");
    private readonly Option<long?> _memory = NumericOptionParser.Of("--memory", "BYTES", "Bytes of memory they may reserve. Default: the machine's, or the container's.", 0, (long)Most, "bytes, 0 or more");
    private readonly Option<string[]> _custom = new("--resource")
    {
        Description = "A resource of your own, for instance --resource licence=2. May be given again.",
        HelpName = "NAME=AMOUNT",
        DefaultValueFactory = _ => [],
    };

    /// <summary>Adds the options to a verb.</summary>
    public NodeResourceOptions(Command command)
    {
        _custom.Validators.Add(result =>
        {
            foreach (var token in result.Tokens)
            {
                if (!TryRead(token.Value, out var name, out _))
                    result.AddError($"--resource {token.Value}: expected NAME=AMOUNT, for instance licence=2.");
                else if (name is ResourceDemand.Cpu or ResourceDemand.Gpu or ResourceDemand.Memory)
                    result.AddError($"--resource {token.Value}: {name} has an option of its own: --num-cpus, --num-gpus or --memory.");
            }
        });
        Option[] all = [_cpus, _gpus, _memory, _custom];
        foreach (var option in all)
            command.Options.Add(option);
    }

    /// <summary>Reads the options.</summary>
    public ResourceDemand Read(ParseResult parsed) => ResourceDemandFactory.TotalOf(new()
    {
        NumCpus = parsed.GetValue(_cpus),
        NumGpus = parsed.GetValue(_gpus),
        Memory = parsed.GetValue(_memory),
        Resources = (parsed.GetValue(_custom) ?? []).Aggregate(
            ImmutableDictionary<string, double>.Empty, static (all, text) => TryRead(text, out var name, out var amount) ? all.SetItem(name, amount) : all),
    });

    private static bool TryRead(string text, out string name, out double amount)
    {
        var at = text.IndexOf('=', StringComparison.Ordinal);
        name = at < 0 ? "" : text[..at].Trim();
        return double.TryParse(text[(at + 1)..], NumberStyles.Float, CultureInfo.InvariantCulture, out amount) && name.Length > 0 && amount is >= 0 and <= Most;
    }
}
