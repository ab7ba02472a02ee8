using System.Globalization;
using Serve.RoutingBench;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var isQuick = args.Contains("--quick");
PickerRows.Run(isQuick);
await OverloadRows.RunAsync(isQuick);
